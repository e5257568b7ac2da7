/** Where resources end: memory of the mover on a disk far larger than its budget, and a repository that is full. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GiB, MiB } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitFor, waitForCompletion } from '../../cli/demo/index.ts'
import { makeWorld } from '../support/world.ts'

/** Largest resident set so far, from the kernel; bytes. */
function peakRss(pid: number): number {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (!line) throw new Error(`/proc/${pid}/status has no VmHWM`)
  return Number(line[1]) * 1024
}

test('the mover stays below 512 MiB while it backs up and restores a disk of 8 GiB', async () => {
  const world = await makeWorld({ vm: { qcow2: 8 * GiB, raw: null } })
  try {
    const { at, vm, guest, repository, hypervisor } = world
    await guest.shell(
      'dd if=/dev/urandom of=/data/0/seed bs=1M count=64 status=none; for i in $(seq 1 40); do (echo $i; cat /data/0/seed) > /data/0/file-$i; done; sync',
      600_000,
    )
    const runId = await startBackup(at, vm.id, { mode: 'full', tuning: {}, repositoryId: repository.row.id })
    const { point, copied } = await finishBackup(at, vm.id, runId)
    expect(copied.readBytes).toBeGreaterThan(2 * GiB)
    const body = {
      pointId: point.id,
      target: { kind: 'new', hypervisorId: hypervisor.id, name: 'web-01-big' },
      identity: 'new',
      powerOn: false,
      reason: 'test',
      tuning: {},
    } as const
    const restore = await ask(at.api.POST('/restores', { body }))
    await waitForCompletion(at.api, restore.runId)
    expect(peakRss(at.pid('worker'))).toBeLessThanOrEqual(512 * MiB)
  } finally {
    await world.end()
  }
})

const mayMount = process.getuid?.() === 0

test.skipIf(!mayMount)(
  'a full repository says so, keeps its points, and the run resumes after space is made',
  async () => {
    const small = mkdtempSync(join(tmpdir(), 'hf-small-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=420m', 'tmpfs', small])
    const repositoryPath = join(small, 'r')
    mkdirSync(repositoryPath)
    let world: Awaited<ReturnType<typeof makeWorld>> | undefined
    try {
      world = await makeWorld({ repositoryPath })
      const { at, vm, guest, repository } = world
      const first = await startBackup(at, vm.id, { mode: 'auto', tuning: {}, repositoryId: repository.row.id })
      const { point: before } = await finishBackup(at, vm.id, first)

      writeFileSync(join(small, 'ballast'), Buffer.alloc(200 * MiB))
      await guest.shell('dd if=/dev/urandom of=/data/0/more bs=1M count=224 conv=fsync status=none', 300_000)
      const tuning = { journalSourceBytes: 32 * MiB }
      const runId = await startBackup(at, vm.id, { mode: 'auto', tuning, repositoryId: repository.row.id })
      const waiting = await waitFor(at.api, runId, ({ state }) => state === 'waiting')
      const said = JSON.stringify(waiting.phases)
      expect(said).toContain('StoreFull')
      const kept = await ask(at.api.GET('/points/{id}', { params: { path: { id: before.id } } }))
      expect(kept.validatedMs).not.toBeNull()

      rmSync(join(small, 'ballast'))
      await ask(
        at.api.POST('/runs/{run}/resume', { params: { path: { run: runId } }, body: { reason: 'space was made' } }),
      )
      const { point, copied } = await finishBackup(at, vm.id, runId)
      expect(point.validatedMs).not.toBeNull()
      expect(copied.bytesResumed).toBeGreaterThan(0)
      await ask(at.api.GET('/points/{id}', { params: { path: { id: before.id } } }))
    } finally {
      await world?.end()
      execFileSync('umount', ['-l', small])
      rmSync(small, { recursive: true, force: true })
    }
  },
)
