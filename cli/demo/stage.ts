import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import { SWITCH_HOOK, labDown, labUp, type Lab } from '../../lab/index.ts'
import { homeOf, makeHome, takePlace } from '../../server/index.ts'
import { Installation } from './installation.ts'

export interface Narrator {
  /** A scene begins. */
  scene(title: string): void
  /** What was seen in it. */
  note(text: string): void
}

export interface DemoStage extends AsyncDisposable {
  readonly at: Installation
  readonly lab: Lab
  readonly url: string
}

const labName = 'demo'

/**
 * Makes the home this process's own until it ends, and empties it: a demo begins from nothing. Throws `AlreadyRunning`,
 * and removes nothing, where another demo or a `holdfast up` lives in it.
 */
export async function claimHome(home: string): Promise<void> {
  const place = homeOf({ HOLDFAST_HOME: home })
  makeHome(place)
  await takeFree(home, 'demo')
  // Whoever holds this lives in the home. It is given back at once: the demo's own `up` takes it.
  using _up = await takeFree(home, 'up')
  // A killed demo may have left the VM of its drill, which outlives movers by design.
  await labDown({ home, name: labName })
  for (const name of readdirSync(home)) {
    if (join(home, name) !== place.run) rmSync(join(home, name), { recursive: true })
  }
}

async function takeFree(home: string, role: string): Promise<Disposable> {
  try {
    return await takePlace(homeOf({ HOLDFAST_HOME: home }), role)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'AlreadyRunning') throw error
    throw new HoldfastError('AlreadyRunning', error.message, {
      hint: 'End it (Ctrl-C there), or set HOLDFAST_DEMO_HOME to another folder.',
      cause: error,
    })
  }
}

/** Starts everything: embedded Temporal, server, mover, lab. Disposing ends all of it; so does the end of this process. */
export async function setStage(home: string, narrator: Narrator): Promise<DemoStage> {
  narrator.scene('Start Temporal, server, mover, and a hypervisor with one guest')
  const [up, lab] = await Promise.allSettled([
    Installation.start({ home, env: { [SWITCH_HOOK]: join(oracleFolder(home), 'oracle.sock') } }),
    labUp({ home, name: labName, vms: 1, progress: (text) => narrator.note(text) }),
  ])
  if (up.status === 'fulfilled' && lab.status === 'fulfilled') {
    return {
      at: up.value,
      lab: lab.value,
      url: up.value.url,
      [Symbol.asyncDispose]: () => endAll([up.value, lab.value]),
    }
  }
  // One half is no stage: what did start ends before the other's failure is told.
  await endAll([up, lab].flatMap((it) => (it.status === 'fulfilled' ? [it.value] : [])))
  throw [up, lab].flatMap((it) => (it.status === 'rejected' ? [it.reason as unknown] : []))[0]
}

export function oracleFolder(home: string): string {
  return join(home, 'oracle')
}

/** All are ended, one after the other; the first failure is thrown then. */
async function endAll(parts: readonly AsyncDisposable[]): Promise<void> {
  await using all = new AsyncDisposableStack()
  for (const part of [...parts].reverse()) all.use(part)
}
