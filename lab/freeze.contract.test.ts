import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { MiB } from '../base/index.ts'
import type { AgentClient } from '../drivers/qmp/index.ts'
import { endTemporaryLab, temporaryLab, type Lab, type LabVm } from './index.ts'

/** What the quiesce of the `qemu` driver relies on; found out here, on a real guest (design: drivers, doubt 4). */
describe('a guest frozen through its agent', () => {
  let lab: Lab
  let vm: LabVm
  beforeAll(async () => {
    lab = await temporaryLab({ vms: [{ name: 'one', qcow2: 256 * MiB, raw: 128 * MiB }] })
    vm = lab.vms[0] as LabVm
    // Writes the guest's clock to the disk for ever, and to memory after each write that got through.
    await vm.shell(
      '(while sleep 0.05; do cat /proc/uptime >/data/0/tick; cp /proc/uptime /run/tick; done) >/dev/null 2>&1 </dev/null &',
    )
  })
  afterEach(async () => {
    await using agent = await vm.agent()
    await agent.thaw()
    expect(await agent.freezeStatus()).toBe('thawed')
  })
  afterAll(() => endTemporaryLab(lab))

  test('thaws by itself when its deadline passes, with nobody on the host talking to it', async () => {
    const frozen = await freezeWithDeadline(vm, 2, ['/data/0', '/data/1'])
    expect(frozen).toBe(2)
    await sleep(4_000) // the subject of this test is what happens while the host keeps silent
    await using agent = await vm.agent()
    // Nothing was thawed by this call: the deadline had done it. It brings the agent back all the same.
    expect(await agent.freezeStatus()).toBe('frozen')
    await expect(agent.execStart('/bin/true', [], false)).rejects.toMatchObject({ code: 'GuestRefused' })
    expect(await agent.thaw()).toBe(0)
    const [deadline, thawed] = (await output(agent, 'cat /run/deadline')).split('\n').map(Number)
    expect(Number(thawed) - Number(deadline)).toBeLessThan(1)
    const tick = Number((await output(agent, 'cat /run/tick')).split(' ')[0])
    // The writer went on right after the deadline, two seconds before the host came back.
    expect(tick).toBeGreaterThan(Number(thawed) + 1)
    expect(await agent.freezeStatus()).toBe('thawed')
    expect(await agent.freeze()).toBe(2)
    expect(await agent.thaw()).toBe(2)
  })

  test('stays frozen without a deadline, and the thaw counts what it thawed', async () => {
    await using agent = await vm.agent()
    expect(await agent.freeze()).toBe(2)
    await expect(agent.freeze()).rejects.toMatchObject({ code: 'GuestRefused' })
    expect(await agent.thaw()).toBe(2)
    expect(await agent.thaw()).toBe(0)
  })

  test('shows by the count of the thaw that one file system was thawed before', async () => {
    expect(await freezeWithDeadline(vm, 0, ['/data/0'])).toBe(2)
    await sleep(1_000)
    await using agent = await vm.agent()
    expect(await agent.thaw()).toBe(1)
  })

  test('is still frozen after its agent was killed, and is thawed through the next agent', async () => {
    {
      await using agent = await vm.agent()
      await agent.execStart('/bin/sh', ['-c', 'sleep 1; pkill -KILL qemu-ga'], false)
      expect(await agent.freeze()).toBe(2)
    }
    await sleep(2_500)
    await using agent = await vm.agent(15_000)
    expect(await agent.freezeStatus()).toBe('frozen')
    expect(await agent.thaw()).toBe(2)
  })

  test('needs the long option of busybox’s fsfreeze: the short one does nothing', async () => {
    const short = await vm.tryExec('/bin/busybox', ['fsfreeze', '-u', '/data/0'])
    expect(short.exit).toBe(1)
    expect(short.err).toContain('--[un]freeze')
  })
})

/** Arms the deadline (`seconds` after the freeze, at the latest), freezes and returns how many file systems froze. */
async function freezeWithDeadline(vm: LabVm, seconds: number, mounts: readonly string[]): Promise<number> {
  const script =
    'sleep "$1"; shift; cut -d" " -f1 /proc/uptime >/run/deadline; for m; do until fsfreeze --unfreeze "$m"; do sleep 0.1; done; done; cut -d" " -f1 /proc/uptime >>/run/deadline'
  await using agent = await vm.agent()
  await agent.execStart('/bin/sh', ['-c', script, 'sh', String(seconds), ...mounts], false)
  return await agent.freeze()
}

async function output(agent: AgentClient, script: string): Promise<string> {
  return (await agent.exec('/bin/sh', ['-c', script], 10_000)).out
}
