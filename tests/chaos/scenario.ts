import { renameSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { guestsOf, processesOf } from '../support/processes.ts'
import type { World } from '../support/world.ts'
import type { Random } from '../simulation/random.ts'

const workflows = ['backup', 'full backup', 'restore', 'drill', 'verify'] as const
/** Holdfast's own parts are killed; all victims may stand still for a while and go on. */
const killed = ['worker', 'server', 'temporal'] as const
const halted = ['worker', 'server', 'temporal', 'guest'] as const

/** One thing that goes wrong, so many milliseconds after the run was started or after the one before. */
export interface Disturbance {
  readonly afterMs: number
  readonly victim: 'worker' | 'server' | 'temporal' | 'guest' | 'repository'
  /** `halt`: SIGSTOP, and SIGCONT later. `away`: the store cannot be reached, and can again later. */
  readonly action: 'kill' | 'halt' | 'away'
  /** For how long it is halted or away; milliseconds. */
  readonly forMs: number
}

export interface Scenario {
  readonly workflow: (typeof workflows)[number]
  readonly disturbances: readonly Disturbance[]
}

/** What a seed draws; the guest is left alone while a restore or a drill runs, which do not touch it. */
export function drawScenario(random: Random): Scenario {
  const workflow = random.pick(workflows)
  const disturbances = Array.from({ length: 1 + random.below(2) }, (): Disturbance => {
    // Runs take seconds: most is done early, where it meets the steps that come first.
    const afterMs = Math.floor(9_000 * random.next() ** 2)
    const forMs = 500 + random.below(8_000)
    const kind = random.below(10)
    if (kind < 6) return { afterMs, victim: random.pick(killed), action: 'kill', forMs: 0 }
    if (kind < 9) return { afterMs, victim: random.pick(halted), action: 'halt', forMs }
    return { afterMs, victim: 'repository', action: 'away', forMs }
  })
  return { workflow, disturbances }
}

export function tellScenario({ workflow, disturbances }: Scenario): string {
  const told = disturbances.map(({ afterMs, victim, action, forMs }) => {
    const length = forMs === 0 ? '' : ` for ${(forMs / 1000).toFixed(1)} s`
    return `${action} ${victim} after ${(afterMs / 1000).toFixed(1)} s${length}`
  })
  return `${workflow}: ${told.join(', ')}`
}

/** Does it to the real processes, one after the other; all stands as before when it resolves. */
export async function disturb(world: World, { disturbances }: Scenario): Promise<void> {
  for (const { afterMs, victim, action, forMs } of disturbances) {
    await sleep(afterMs)
    if (action === 'away') await away(world, forMs)
    else if (victim === 'guest') await halt(guestPid(world), forMs)
    else if (victim !== 'repository') await onPart(world, victim, action, forMs)
  }
}

async function onPart(world: World, role: (typeof killed)[number], action: 'kill' | 'halt', forMs: number) {
  const pid = await partOf(world, role)
  if (action === 'halt') await halt(pid, forMs)
  else process.kill(pid, 'SIGKILL')
}

/** Its supervisor may be about to start it: what is killed twice within a second is not there the second time. */
async function partOf({ at }: World, role: (typeof killed)[number]): Promise<number> {
  for (let tries = 0; ; tries += 1) {
    try {
      return at.pid(role)
    } catch (error) {
      if (tries >= 300) throw error
      await sleep(100)
    }
  }
}

async function halt(pid: number, forMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await sleep(forMs)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

/** As an unmounted share: the directory is not where it was, and comes back untouched. */
async function away({ repository: { path } }: World, forMs: number): Promise<void> {
  renameSync(path, `${path}.away`)
  try {
    await sleep(forMs)
  } finally {
    renameSync(`${path}.away`, path)
  }
}

function guestPid({ home, guest }: World): number {
  const [pid] = processesOf(home)
    .filter(({ command }) => guestsOf(home).includes(command) && command.includes(guest.dir))
    .map((it) => it.pid)
  if (pid === undefined) throw new Error(`no process runs the VM of ${guest.dir}`)
  return pid
}
