import { codes, describeError, formatDuration } from '../../base/index.ts'
import { searchAttributes } from '../../workflows/shared/contract.ts'
import type { ApiDeps } from '../deps.ts'
import type { EngineInfo } from '../orchestrator.ts'
import { good, type Check, type Found } from './check.ts'

const dayMs = 86_400_000

/** What Temporal says of itself. */
export async function engineChecks({ orchestrator }: ApiDeps): Promise<Check[]> {
  let info: EngineInfo
  try {
    info = await orchestrator.info()
  } catch (error) {
    return [
      {
        id: 'engine',
        title: 'Temporal',
        state: 'failed',
        detail: describeError(error),
        hint: codes.TemporalUnavailable.hint,
      },
    ]
  }
  const missing = Object.values(searchAttributes).filter((name) => !info.searchAttributes.includes(name))
  return [
    { id: 'engine', title: 'Temporal', ...versionFound(info) },
    { id: 'retention', title: 'Retention of closed runs', ...retention(info.retentionMs) },
    {
      id: 'search-attributes',
      title: 'Search attributes',
      ...(missing.length === 0
        ? good('all registered')
        : {
            state: 'failed',
            detail: `not registered: ${missing.join(', ')}`,
            hint: 'Start the server again: it registers them.',
          }),
    },
  ]
}

/** Pause and unpause of one activity, by which a step is tried again at once, came with this one. */
const oldest = { major: 1, minor: 28 }
/** The one that the tests of this release run against. */
const tried = { major: 1, minor: 32 }

const written = ({ major, minor }: typeof oldest): string => `${major}.${minor}`

/** Of a newer minor version nothing is known against it: Temporal's servers keep what their clients use. */
export function versionFound({ version, namespace }: Pick<EngineInfo, 'version' | 'namespace'>): Found {
  const said = `version ${version}, namespace ${namespace}`
  const [, first, second] = /^v?(\d+)\.(\d+)\b/.exec(version) ?? []
  if (first === undefined || second === undefined)
    return { state: 'unknown', detail: `${said}; whether that is supported cannot be told`, hint: null }
  const is = { major: Number(first), minor: Number(second) }
  const before = (other: typeof oldest): boolean =>
    is.major < other.major || (is.major === other.major && is.minor < other.minor)
  if (before(oldest))
    return {
      state: 'failed',
      detail: `${said}: older than ${written(oldest)}, the oldest that is supported`,
      hint: `Upgrade the Temporal server to ${written(tried)}, one minor version after the other, its schema first. Until then steps cannot be tried again by hand.`,
    }
  if (before(tried))
    return {
      state: 'attention',
      detail: `${said}: supported, but this release is tested with ${written(tried)}`,
      hint: `Upgrade the Temporal server to ${written(tried)}, one minor version after the other, its schema first.`,
    }
  if (is.major > tried.major)
    return {
      state: 'attention',
      detail: `${said}: this release is tested with ${written(tried)}, and knows of no ${is.major}.x`,
      hint: `Use a Temporal server ${tried.major}.x, or a release of Holdfast that names ${is.major}.x.`,
    }
  return good(
    is.minor === tried.minor ? said : `${said}; newer than ${written(tried)}, with which this release is tested`,
  )
}

function retention(ms: number | null): Found {
  if (ms === null) return { state: 'unknown', detail: 'Temporal does not say', hint: null }
  if (ms >= 3 * dayMs) return good(`${formatDuration(ms)}; runbooks are archived in the catalog`)
  return {
    state: 'attention',
    detail: `${formatDuration(ms)}: after a longer outage of this server runbooks would be lost`,
    hint: 'Raise the retention of the namespace to 30 days.',
  }
}
