import { Context } from '@temporalio/activity'
import { HoldfastError } from '../../base/index.ts'
import { SessionClient } from '../../files/index.ts'
import type { Site } from '../shared/deps.ts'
import { operate } from '../shared/operation.ts'
import { GuestShell } from './guest-shell.ts'
import { planPlaces } from './guest-plan.ts'
import { Pushing, type RestoredFigures } from './guest-push.ts'
import type { FilesActivities } from './types.ts'

interface Beat {
  readonly v: 1
  readonly what: string
  readonly quietMs: number
  /** Paths before it are done. */
  readonly index: number
  /** It is being given its own name: whether that has happened, the guest knows. */
  readonly isNaming: boolean
  /** Figures of what is done, and with the path that is being named; absent: of before 24 November 2026. */
  readonly done?: RestoredFigures
  readonly written?: RestoredFigures
}

/** Files of an open point into the guest of a VM that runs: through its agent, under names of the operation until they are whole. */
export function createGuestActivities(
  site: Site,
): Pick<FilesActivities, 'planFilesRestore' | 'restoreFilesToGuest' | 'dropStagedFiles'> {
  const client = new SessionClient(site.options.filesDir)
  return {
    planFilesRestore: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const shell = new GuestShell(driver, ctx, input.vm)
        return await planPlaces(client, shell, input, ctx.signal)
      }),
    restoreFilesToGuest: (input) => {
      const before = beatOf(Context.current().info.heartbeatDetails)
      let now: Omit<Beat, 'v' | 'quietMs'> = {
        ...before,
        what: 'starting',
        index: before?.index ?? 0,
        isNaming: before?.isNaming ?? false,
      }
      return operate(
        site,
        input,
        async ({ driver, ctx, pulse }) => {
          const shell = new GuestShell(driver, ctx, input.vm)
          const pushing = new Pushing(client, shell, input, pulse.signal, (what) => {
            now = { ...now, what }
            pulse.moved()
          })
          if (before?.done !== undefined) pushing.goOn(before.done)
          for (let index = 0; index < input.paths.length; index += 1) {
            const isMaybeNamed = index === before?.index && before.isNaming
            const isDone = index < (before?.index ?? 0) || (isMaybeNamed && (await pushing.isNamed(index)))
            if (isDone) {
              if (before?.done === undefined) await pushing.count(index)
              else if (isMaybeNamed && before.written !== undefined) pushing.goOn(before.written)
              continue
            }
            now = { ...now, index, isNaming: false, done: pushing.figures }
            await pushing.write(index)
            now = { ...now, isNaming: true, written: pushing.figures }
            // Said before it happens: whoever goes on must not take it for somebody else's.
            pulse.flush()
            await pushing.name(index)
            now = { ...now, index: index + 1, isNaming: false, done: pushing.figures }
            pulse.flush()
          }
          return pushing.done
        },
        { details: (quietMs): Beat => ({ v: 1, quietMs, ...now }), stallTimeoutMs: () => input.stallTimeoutMs },
      )
    },
    dropStagedFiles: (input) =>
      operate(site, input, async ({ driver, ctx }) => {
        const shell = new GuestShell(driver, ctx, input.vm)
        for (const path of input.staged) {
          if (!path.includes(`/.holdfast-${input.operation.slice(0, 16)}-`))
            throw new HoldfastError('NotOurs', `${path} does not carry the mark of this run`)
          await shell.must('rm -rf -- "$1"', [path])
        }
      }),
  }
}

function beatOf(details: unknown): Beat | null {
  const { v, index, isNaming } = (typeof details === 'object' && details !== null ? details : {}) as Partial<Beat>
  if (v !== 1 || typeof index !== 'number' || typeof isNaming !== 'boolean') return null
  return details as Beat
}
