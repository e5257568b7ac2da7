import { deepEqual, equal } from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB, isHoldfastError } from '../../base/index.ts'
import { ask } from '../../cli/client/index.ts'
import { finishBackup, guestChecks, startBackup, waitForCompletion } from '../../cli/demo/index.ts'
import { findLabVm, runWorkload, type Oracle } from '../../lab/index.ts'
import type { Random } from '../simulation/random.ts'
import { hypervisorState } from '../support/hypervisor-state.ts'
import { guestsOf } from '../support/processes.ts'
import type { World } from '../support/world.ts'
import { disturb, type Scenario } from './scenario.ts'

const tuning = { moverHeartbeatMs: 5_000, journalSourceBytes: 8 * MiB }

interface LastPoint {
  readonly id: string
  /** What the guest's audit trail had when it was taken. */
  readonly rows: number
}

/** Plays scenarios in one world and looks after each whether all is as it has to be. */
export class Player {
  readonly #world: World
  readonly #random: Random
  readonly #oracle: Oracle
  #last: LastPoint
  #copies = 0

  private constructor(world: World, random: Random, oracle: Oracle, last: LastPoint) {
    this.#world = world
    this.#random = random
    this.#oracle = oracle
    this.#last = last
  }

  /** With a first point, made undisturbed: what each scenario leaves is compared with what it found. */
  static async start(world: World, random: Random): Promise<Player> {
    const oracle = await world.startOracle()
    const { rows } = await runWorkload(world.guest, 2)
    const wish = { mode: 'full', tuning, repositoryId: world.repository.row.id } as const
    const { point } = await finishBackup(world.at, world.vm.id, await startBackup(world.at, world.vm.id, wish))
    return new Player(world, random, oracle, { id: point.id, rows })
  }

  /** Throws at the first thing that is not as it has to be. Answers what came of it, in words. */
  async play(scenario: Scenario): Promise<string> {
    const before = await this.#left()
    const outcome = await this.#run(scenario)
    deepEqual(await this.#left(), before, 'something was left, or is missing')
    return outcome
  }

  async end(): Promise<void> {
    await this.#verify(() => Promise.resolve())
    await this.#oracle[Symbol.asyncDispose]()
  }

  #run(scenario: Scenario): Promise<string> {
    const disturbing = (): Promise<void> => disturb(this.#world, scenario)
    if (scenario.workflow === 'restore') return this.#restore(disturbing)
    if (scenario.workflow === 'drill') return this.#drill(disturbing)
    if (scenario.workflow === 'verify') return this.#verify(disturbing)
    return this.#backUp(scenario.workflow === 'backup' ? 'auto' : 'full', disturbing)
  }

  async #backUp(mode: 'auto' | 'full', disturbing: () => Promise<void>): Promise<string> {
    const { at, vm, guest, repository } = this.#world
    const { rows } = await runWorkload(guest, 1 + this.#random.below(3))
    const runId = await startBackup(at, vm.id, { mode, tuning, repositoryId: repository.row.id })
    await disturbing()
    const { point, book } = await finishBackup(at, vm.id, runId)
    equal(point.validatedMs === null, false, `the point of ${runId} is not validated`)
    await this.#oracle.forget(this.#last.id)
    this.#last = { id: point.id, rows }
    await this.#restore(() => Promise.resolve())
    return `${point.mode}, ${point.consistency}-consistent, resumed ${book.resumedTimes} times, identical`
  }

  async #restore(disturbing: () => Promise<void>): Promise<string> {
    const { at, lab, hypervisor } = this.#world
    const name = `copy-${++this.#copies}`
    const target = { kind: 'new', hypervisorId: hypervisor.id, name } as const
    const body = { pointId: this.#last.id, target, identity: 'new', powerOn: false, reason: 'chaos' } as const
    const { runId } = await ask(at.api.POST('/restores', { body: { ...body, tuning } }))
    await disturbing()
    const book = await waitForCompletion(at.api, runId)
    const copy = await findLabVm(lab, name)
    for (const { key, file } of copy.description.disks) {
      const image = { file: join(copy.dir, file), format: file.endsWith('.raw') ? 'raw' : 'qcow2' } as const
      const comparison = await this.#oracle.compare(this.#last.id, key, image)
      equal(comparison.identical, true, `${key} of ${this.#last.id} differs: ${JSON.stringify(comparison)}`)
    }
    await rm(copy.dir, { recursive: true })
    return `identical, resumed ${book.resumedTimes} times`
  }

  async #drill(disturbing: () => Promise<void>): Promise<string> {
    const { at } = this.#world
    const { id: pointId, rows } = this.#last
    const checks = guestChecks({ atLeast: rows, atMost: rows })
    const body = { pointId, checks, bootTimeoutMs: 180_000, reason: 'chaos', tuning }
    const { runId } = await ask(at.api.POST('/drills', { body }))
    await disturbing()
    await waitForCompletion(at.api, runId)
    const { items } = await ask(at.api.GET('/drills', { params: { query: { pointId, limit: 200 } } }))
    const verdict = items.find(({ run }) => run.runId === runId)?.verdict
    // A machine that was disturbed may be too late: that is told, and it is nothing against the point.
    equal(verdict === 'passed' || verdict === 'inconclusive', true, `the drill of a sound point says ${verdict}`)
    return verdict ?? ''
  }

  async #verify(disturbing: () => Promise<void>): Promise<string> {
    const { at, repository } = this.#world
    const params = { path: { id: repository.row.id } }
    const body = { level: 'full', reason: 'chaos', tuning: { moverHeartbeatMs: 5_000, reprobeMs: 1_000 } } as const
    const { runId } = await ask(at.api.POST('/repositories/{id}/verify', { params, body }))
    await disturbing()
    await waitForCompletion(at.api, runId)
    const run = await ask(at.api.GET('/verify-runs/{run}', { params: { path: { run: runId } } }))
    equal(run.damages, 0, 'a sound repository is said to be damaged')
    return 'no damage'
  }

  /** What is on the hypervisor. Names of bitmaps change with each point; their number does not. */
  async #left(): Promise<object> {
    const { guest, lab, home } = this.#world
    const deadline = Date.now() + 60_000
    for (;;) {
      try {
        const state = await hypervisorState(guest)
        const vms = readdirSync(lab.endpoint.address).sort()
        return { ...state, bitmaps: state.bitmaps.length, vms, guests: guestsOf(home) }
      } catch (error) {
        // The agent is for one client at a time, and the guest may have been halted a moment ago.
        if (!isHoldfastError(error) || Date.now() > deadline) throw error
      }
    }
  }
}
