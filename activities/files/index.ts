/**
 * File restore on a site: a micro-VM reads a point through block devices that this process serves to it alone, and what it
 * finds is answered at a socket of this machine. All of it dies with this process; the next one opens it anew.
 */
import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildAppliance } from '../../appliance/index.ts'
import { HoldfastError, MiB, describeError, isHoldfastError } from '../../base/index.ts'
import {
  FileSession,
  SessionServer,
  dropState,
  filesGuest,
  saveState,
  savedState,
  sessionSocket,
} from '../../files/index.ts'
import { BlockCache } from '../instant/cache.ts'
import { HeldPoint } from '../instant/held-point.ts'
import { PointSource } from '../instant/source.ts'
import type { Served } from '../../files/index.ts'
import type { Site } from '../shared/deps.ts'
import { beating } from '../shared/operation.ts'
import { DiskImages, disksOnly, withDisks } from './images.ts'
import { createGuestActivities } from './guest.ts'
import { Places } from './places.ts'
import type { FilesActivities, FilesBeat, OpenFiles } from './types.ts'

/** A machine that somebody has forgotten to let rest goes after so long, and is opened anew if it is still asked. */
const lifeMs = 12 * 3600_000
const cacheBytes = 64 * MiB
const lookEveryMs = 1_000
/** A file system that breaks its machine does so again. */
const mostBreaks = 3
const saidAgainMs = 60_000
/** It ended, did not open its disks in time, or said what no machine of ours says. */
const breakCodes: ReadonlySet<string> = new Set(['HypervisorRefused', 'HypervisorTimeout', 'ProtocolMismatch'])

const settledMs = 10 * 60_000
interface Attempt {
  readonly sinceMs: number
  /** The store was away meanwhile. */
  hasWaited: boolean
  /** From its saved state; after one that broke it boots, in case it is the state that is broken. */
  readonly isQuick: boolean
}

export function createFilesActivities(site: Site): FilesActivities {
  const places = new Places()
  return {
    prepareFiles: () =>
      beating(site, async ({ signal }) => {
        const progress = (line: string): void => site.log.info({}, `micro-VM for files: ${line}`)
        const appliance = await buildAppliance(filesGuest, { progress })
        try {
          await saveState(appliance, signal)
        } catch (error) {
          signal.throwIfAborted()
          // Without it each session boots, which is slower and nothing else.
          site.log.warn({ error: describeError(error) }, 'the micro-VM for files was not saved')
        }
      }),
    openFiles: async (input) => {
      let beat: FilesBeat = { v: 1, what: 'opening the point', idleMs: null, volumes: null }
      await beating(
        site,
        async ({ signal }) => {
          // Without a machine of its own it takes next to nothing.
          using _place = input.view === 'disks' ? null : places.enter()
          for (let breaks = 0; ; breaks += 1) {
            const attempt: Attempt = { sinceMs: site.now(), hasWaited: false, isQuick: breaks === 0 }
            try {
              await serveOnce(site, input, signal, attempt, (now) => (beat = now))
              return
            } catch (error) {
              signal.throwIfAborted()
              if (!isHoldfastError(error) || !breakCodes.has(error.code)) throw error
              // A machine that does not come up because its disks wait for the store is not broken.
              if (error.code === 'HypervisorTimeout' && attempt.hasWaited) throw error
              // One that has served for long has not been broken by being opened.
              if (site.now() - attempt.sinceMs > settledMs) breaks = 0
              site.log.warn(
                { session: input.session, error: error.message, console: error.native?.text },
                'a micro-VM broke',
              )
              if (breaks + 1 >= mostBreaks)
                throw new HoldfastError('Unsupported', `its micro-VM broke ${mostBreaks} times: ${error.message}`, {
                  hint: 'A file system of the point breaks the machine that reads it. Open the point without that disk, or boot it by an instant restore.',
                  cause: error,
                })
            }
          }
        },
        { details: () => beat },
      )
    },
    ...createGuestActivities(site),
    closeFiles: ({ session }) =>
      beating(site, async () => {
        await rm(sessionSocket(site.options.filesDir, session), { force: true })
      }),
  }
}

/** Returns when nobody has asked for long enough; throws HypervisorRefused when the machine has ended before. */
async function serveOnce(
  site: Site,
  { session, repository, stem, disks, idleMs, view }: OpenFiles,
  signal: AbortSignal,
  attempt: Attempt,
  tell: (beat: FilesBeat) => void,
): Promise<void> {
  const path = sessionSocket(site.options.filesDir, session)
  await using open = new AsyncDisposableStack()
  const point = new HeldPoint((work) => site.repository(repository, work), stem)
  open.defer(() => point.close())
  const sizes = await site.repository(repository, async (opened) => {
    await using info = await opened.openPoint(stem)
    return info.info.disks.map(({ id, bytes }) => ({ key: id, size: bytes }))
  })
  const unknown = disks?.find((key) => !sizes.some((disk) => disk.key === key))
  if (unknown !== undefined) throw new HoldfastError('NotFound', `the point has no disk ${unknown}`)
  const sources = openSources(site, point, stem, disks, sizes, attempt)
  for (const { source } of sources) open.defer(() => source.end())
  const images = new DiskImages(stem, sources)
  if (view === 'disks') {
    const server = open.use(await serving(site, path, session, stem, disksOnly(images)))
    site.log.info({ session, stem, disks: sources.length }, 'the disks of a point can be taken')
    await untilIdle(server, null, 0, idleMs, signal, tell)
    return
  }
  const appliance = await buildAppliance(filesGuest)
  const files = open.use(
    await FileSession.open({
      appliance,
      state: attempt.isQuick ? await savedState(appliance) : null,
      name: `holdfast-files-${site.tag}-${session}`,
      ...{ disks: sources, lifeMs, signal },
      onDiskError: (error) => site.log.warn({ stem, error: error.message }, 'a file session met an error'),
    }),
  )
  if (!attempt.isQuick) await dropState(appliance)
  const server = open.use(await serving(site, path, session, stem, withDisks(files, images)))
  site.log.info(
    { session, stem, pid: files.pid, volumes: files.volumes.length },
    'the files of a point can be looked at',
  )
  await untilIdle(server, files, files.volumes.length, idleMs, signal, tell)
}

type Source = { readonly key: string; readonly source: PointSource }

function openSources(
  site: Site,
  point: HeldPoint,
  stem: string,
  disks: OpenFiles['disks'],
  sizes: readonly { readonly key: string; readonly size: number }[],
  attempt: Attempt,
): readonly Source[] {
  const cache = new BlockCache(cacheBytes)
  let saidMs = 0
  return sizes
    .filter(({ key }) => disks === null || disks.includes(key))
    .map(({ key, size }) => {
      const source = new PointSource({
        ...{ name: key, size, cache, open: () => point.disk(key) },
        onWait: (error) => {
          attempt.hasWaited = true
          if (site.now() - saidMs < saidAgainMs) return
          site.log.warn({ stem, error: describeError(error) }, 'a file session waits for its repository')
          saidMs = site.now()
        },
      })
      return { key, source }
    })
}

function serving(site: Site, path: string, session: string, stem: string, served: Served): Promise<SessionServer> {
  return SessionServer.start(path, served, {
    now: () => site.now(),
    onStall: () => site.log.warn({ session, stem }, 'a download was cut off: nobody took it'),
  })
}

/** Returns when nobody has asked for long enough; throws HypervisorRefused when the machine, if there is one, has ended. */
async function untilIdle(
  server: SessionServer,
  files: FileSession | null,
  volumes: number,
  idleMs: number,
  signal: AbortSignal,
  tell: (beat: FilesBeat) => void,
): Promise<void> {
  const over = files?.ended.then(() => 'ended' as const)
  for (;;) {
    tell({ v: 1, what: 'open', idleMs: server.idleMs, volumes })
    if (server.idleMs >= idleMs) return
    const look = sleep(lookEveryMs, 'look' as const, { signal })
    const next = await (over === undefined ? look : Promise.race([over, look]))
    if (next === 'ended')
      throw new HoldfastError('HypervisorRefused', 'the micro-VM has ended', {
        native: { code: 'console', text: files?.console.trim().slice(-2000) ?? '' },
      })
  }
}
