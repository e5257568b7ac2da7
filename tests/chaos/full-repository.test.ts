/** Where resources end: a repository that is full. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MiB } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { finishBackup, startBackup, waitFor } from '../../cli/demo/index.ts'
import { expectIdentical } from '../support/identical.ts'
import { expectSound } from '../support/verify.ts'
import { makeWorld } from '../support/world.ts'

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
      await using oracle = await world.startOracle()
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
      await expectSound(world)

      rmSync(join(small, 'ballast'))
      await ask(
        at.api.POST('/runs/{run}/resume', { params: { path: { run: runId } }, body: { reason: 'space was made' } }),
      )
      const { point, copied } = await finishBackup(at, vm.id, runId)
      expect(point.validatedMs).not.toBeNull()
      expect(copied.bytesResumed).toBeGreaterThan(0)
      await expectSound(world)
      await expectIdentical(world, { point: before }, oracle)
      await expectIdentical(world, { point }, oracle)
    } finally {
      await world?.end()
      execFileSync('umount', ['-l', small])
      rmSync(small, { recursive: true, force: true })
    }
  },
)
