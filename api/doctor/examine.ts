import { stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { formatBytes, formatDuration, GiB, isHoldfastError, toHoldfastError } from '../../base/index.ts'
import type { OwnBackupView, RepositoryTestRecord } from '../../catalog/index.ts'
import type { Sandbox } from '../../files/types.ts'
import { ownBackupState } from '../../policy/index.ts'
import type { ApiDeps } from '../deps.ts'
import { queuesOf, workersOn } from '../facts.ts'
import { good, type Check, type Doctor, type Found } from './check.ts'
import { clockCheck } from './clock.ts'
import { engineChecks } from './engine.ts'
import { schedulesCheck } from './schedules.ts'

const dayMs = 86_400_000

/** Looks at everything the installation stands on; one broken part never hides the others. */
export async function examine(deps: ApiDeps): Promise<Doctor> {
  const checks = (
    await Promise.all([
      engineChecks(deps),
      queueChecks(deps),
      guarded('schedules', 'Schedules', async () => schedulesCheck(deps)),
      guarded('clock', 'Clock', () => clockCheck(deps)),
      guarded('catalog', 'Catalog', () => catalogCheck(deps)),
      guarded('space', 'Space in the home folder', () => spaceCheck(deps)),
      guarded('secrets', 'Secrets', () => secretsCheck(deps)),
      guarded('files', 'Micro-VMs for files', () => filesCheck(deps)),
      guarded('time-zones', 'Time zone data', timeZoneCheck),
      ...[...deps.catalog.repositories.all()].map(({ id, name, test }) =>
        Promise.resolve(
          testCheck(
            `repository-${id}`,
            `Repository ${name}`,
            `holdfast repository test ${id}`,
            test && {
              ok: test.passed && !test.error,
              detail: test.error?.message ?? failedCheck(test.checks) ?? 'all checks passed',
              testedMs: test.testedMs,
            },
            deps.now(),
          ),
        ),
      ),
      ...deps.catalog.own.backups().map((row) => Promise.resolve(ownBackupCheck(row, deps.now()))),
      ...[...deps.catalog.endpoints.all()].map(({ id, name, probe }) =>
        Promise.resolve(
          testCheck(
            `hypervisor-${id}`,
            `Hypervisor ${name}`,
            `holdfast hypervisor test ${id}`,
            probe && {
              ok: !probe.error,
              detail: probe.error?.message ?? `version ${probe.version ?? 'unknown'}`,
              testedMs: probe.testedMs,
            },
            deps.now(),
          ),
        ),
      ),
    ])
  ).flat()
  const worst = checks.some((check) => check.state === 'failed')
    ? 'failed'
    : checks.some((check) => check.state !== 'ok')
      ? 'attention'
      : 'ok'
  return { state: worst, checkedMs: deps.now(), checks }
}

async function guarded(id: string, title: string, look: () => Promise<Found>): Promise<Check> {
  try {
    return { id, title, ...(await look()) }
  } catch (error) {
    const { message, hint } = toHoldfastError(error)
    return { id, title, state: 'failed', detail: message, hint }
  }
}

async function queueChecks(deps: ApiDeps): Promise<Check[]> {
  return Promise.all(
    queuesOf(deps).map(({ queue, site }) =>
      guarded(`queue-${queue}`, site === null ? 'Control queue' : `Workers of site ${site}`, async () => {
        const { workers, lastSeenMs } = await workersOn(deps, queue)
        if (workers.length > 0)
          return good(`${new Set(workers.map((worker) => worker.identity)).size} connected to ${queue}`)
        const seen = lastSeenMs === null ? '' : `; last seen ${formatDuration(deps.now() - lastSeenMs)} ago`
        return {
          state: 'failed',
          detail: `nobody polls ${queue}${seen}`,
          hint:
            site === null
              ? 'Start the server: `holdfast server`.'
              : `Start a worker: \`holdfast worker --site ${site}\`.`,
        }
      }),
    ),
  )
}

async function catalogCheck({ catalog }: ApiDeps): Promise<Found> {
  const found = catalog.integrity()
  if (found === 'ok') return good('intact')
  return {
    state: 'failed',
    detail: found,
    hint: 'Stop the server, move HOLDFAST_HOME away and run `holdfast rebuild`: points are not concerned.',
  }
}

async function spaceCheck({ home }: ApiDeps): Promise<Found> {
  if (home === null) return { state: 'unknown', detail: 'not asked about', hint: null }
  const { bavail, bsize } = await statfs(home)
  const free = bavail * bsize
  if (free >= 2 * GiB) return good(`${formatBytes(free)} free in ${home}`)
  return {
    state: 'attention',
    detail: `${formatBytes(free)} free in ${home}`,
    hint: 'Catalog, caches and Temporal’s file live there: free at least 2 GiB.',
  }
}

async function secretsCheck({ home }: ApiDeps): Promise<Found> {
  if (home === null) return { state: 'unknown', detail: 'not asked about', hint: null }
  const folder = join(home, 'secrets')
  const { mode } = await stat(folder)
  if ((mode & 0o077) === 0) return good(`${folder} is closed to others`)
  return {
    state: 'failed',
    detail: `${folder} is open to others (mode ${(mode & 0o777).toString(8)})`,
    hint: `chmod 700 ${folder}`,
  }
}

/** What opens file systems of guests, as far as this machine tells: workers elsewhere have their own. */
async function filesCheck({ files }: ApiDeps): Promise<Found> {
  let here: Sandbox
  try {
    here = await files.sandbox()
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'PackageMissing') throw error
    // Everything else goes on without.
    return { state: 'attention', detail: `no files out of points here: ${error.message}`, hint: error.hint }
  }
  const { user, isApart, whyNot } = here
  const who =
    user === 'nobody'
      ? 'as nobody'
      : 'as the user of the worker, whose files a hole in QEMU and in its sandbox would show'
  if (isApart) return good(`${who}; in QEMU’s sandbox, without a network`)
  return {
    state: 'attention',
    detail: `${who}; in QEMU’s sandbox, but not in namespaces of its own: ${whyNot ?? 'the kernel refuses them'}`,
    hint: 'Run the worker as root, or allow unprivileged user namespaces (sysctl user.max_user_namespaces). Files can be restored all the same.',
  }
}

async function timeZoneCheck(): Promise<Found> {
  const hour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Paris', hour: '2-digit', hourCycle: 'h23' }).format(
    Date.UTC(2026, 6, 1, 12),
  )
  if (hour === '14') return good(`zone data ${process.versions.tz ?? 'of the system'}`)
  return {
    state: 'failed',
    detail: 'Europe/Paris has no summer time in the installed zone data',
    hint: 'Install tzdata, or Node with full ICU.',
  }
}

/** The doctor looks at the last test, it makes none: so it says how old that one is, and a day later it proves nothing. */
function testCheck(
  id: string,
  title: string,
  command: string,
  last: { readonly ok: boolean; readonly detail: string; readonly testedMs: number } | null,
  nowMs: number,
): Check {
  if (last === null) return { id, title, state: 'attention', detail: 'never tested', hint: `\`${command}\`` }
  const ageMs = Math.max(0, nowMs - last.testedMs)
  const detail = `${last.detail}; tested ${formatDuration(ageMs)} ago`
  if (!last.ok) return { id, title, state: 'failed', detail, hint: `\`${command}\` after the cause is removed.` }
  if (ageMs > dayMs) return { id, title, state: 'attention', detail, hint: `\`${command}\` says how it is now.` }
  return { id, title, state: 'ok', detail, hint: null }
}

/** Versions pile up where none can be removed. */
const manyVersions = 100

function ownBackupCheck(row: OwnBackupView, nowMs: number): Check {
  const { madeMs, error, versions, repositoryId } = row
  const state = ownBackupState({ nowMs, madeMs, hasFailed: error !== null })
  const base = { id: `own-backup-${repositoryId}`, title: `Catalog in ${row.repositoryName}` }
  const age = madeMs === null ? 'no copy yet' : `copied ${formatDuration(Math.max(0, nowMs - madeMs))} ago`
  const detail = error ? `${age}; the last try failed: ${error.message}` : age
  const hint = error?.hint ?? `\`holdfast own-backup now ${repositoryId}\``
  if (state === 'old') return { ...base, state: 'failed', detail, hint }
  if (state !== 'ok') return { ...base, state: 'attention', detail, hint }
  if ((versions ?? 0) <= manyVersions) return { ...base, state: 'ok', detail, hint: null }
  return {
    ...base,
    state: 'attention',
    detail: `${detail}; ${versions} versions, old ones are not removed`,
    hint: 'See logs/server.log for why they stay.',
  }
}

function failedCheck(checks: RepositoryTestRecord['checks']): string | undefined {
  const failed = checks.find((check) => !check.passed)
  return failed && `${failed.name}: ${failed.detail}`
}
