import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { installationOf } from '../../names.ts'
import type { QmpClient } from '../../qmp/index.ts'
import type { OpKey } from '../../values.ts'
import { readDescription } from '../description.ts'
import { direct } from '../effects.ts'
import { hostOf } from '../host.ts'
import { readRounds } from '../round/record.ts'
import { giveUp, isShort, rescue } from '../round/rescue.ts'
import { scratchFolder, vmAt, type Monitor } from '../vm.ts'
import type { SentinelTask } from './protocol.ts'

/** Milliseconds between two looks: what a guest writes meanwhile must fit into the space that is kept free. */
const PAUSE = 500

/**
 * As long as the round is open, whether or not its worker lives: gives the point up before its scratch has filled the
 * file system, and frees a guest that has come to stand still all the same (drivers.md R19).
 */
export async function watchRound(
  task: SentinelTask,
  withMonitor: (work: (client: QmpClient) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const vm = vmAt(hostOf(task.endpoint, direct), task.dir, await readDescription(task.dir))
  const folder = scratchFolder(vm)
  const selected = (opKey: OpKey): boolean => opKey === task.opKey
  while (existsSync(task.record)) {
    // The monitor is taken, the VM is down, the round just ended: the next look tells.
    await Promise.allSettled([look()])
    await sleep(PAUSE)
  }

  async function look(): Promise<void> {
    const rounds = await readRounds(vm, installationOf(task.opKey as OpKey))
    await withMonitor(async (client) => {
      const monitor: Monitor = { client, call: (command, args, options) => client.execute(command, args, options) }
      if (!(await rescue(vm, monitor, rounds, selected)) && (await isShort(folder)))
        await giveUp(vm, monitor, rounds, selected)
    })
  }
}
