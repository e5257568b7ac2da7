import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import type { OpenOptions, PointEntry, Repository, RepositoryLocation, Stem } from '../../repository/index.ts'
import { homeFolder } from '../home.ts'
import type { Io } from '../io.ts'
import { readSecret, type SecretOptions } from './secret.ts'

export interface PlaceOptions extends SecretOptions {
  readonly repo?: string
}

/** The repository's directory or URL: named first, else `--repo`, else HOLDFAST_REPOSITORY. */
export async function placeOf(
  io: Io,
  named: string | undefined,
  options: Pick<PlaceOptions, 'repo'>,
): Promise<RepositoryLocation> {
  const place = named ?? options.repo ?? io.world.env['HOLDFAST_REPOSITORY']
  if (place === undefined || place === '') {
    throw new HoldfastError('InvalidRequest', 'which repository?', {
      hint: 'Give its directory or URL, --repo or HOLDFAST_REPOSITORY.',
    })
  }
  const { parseLocation } = await import('../../repository/index.ts')
  return parseLocation(place)
}

export async function openAt(
  io: Io,
  location: RepositoryLocation,
  options: SecretOptions,
  purpose?: OpenOptions['purpose'],
): Promise<Repository> {
  const secret = await readSecret(io, options)
  const { openRepository } = await import('../../repository/index.ts')
  return openRepository({ location, secret, cacheDir: cacheOf(io), ...(purpose && { purpose }) })
}

/** Where this host keeps what is disposable. */
export function cacheOf(io: Io): string {
  const cacheDir = join(homeFolder(io.world.env), 'cache')
  mkdirSync(cacheDir, { recursive: true, mode: 0o700 })
  return cacheDir
}

/** A point by its stem, by its id, by the beginning of its id (six digits at least), or `latest`. */
export async function findStem(repository: Repository, name: string): Promise<Stem> {
  if (name.startsWith('snap/')) return name
  if (name === 'latest') return findLatest(repository)
  if (!/^[0-9a-f]{6,32}$/.test(name)) {
    throw new HoldfastError('InvalidRequest', `not a point: ${name}`, {
      hint: 'Give a stem (snap/…), an id or `latest`; list them with `holdfast repo ls`.',
    })
  }
  const matches: PointEntry[] = []
  for await (const point of repository.listPoints({ unreadable: 'show' }))
    if (point.snap.startsWith(name)) matches.push(point)
  const [match, other] = matches
  if (!match)
    throw new HoldfastError('NotFound', `there is no point ${name} in this repository`, {
      hint: 'List them with `holdfast repo ls`.',
    })
  if (other)
    throw new HoldfastError('InvalidRequest', `several points begin with ${name}`, { hint: 'Give more digits.' })
  return match.stem
}

/** The newest point that can be restored. Of several VMs none is meant: the wrong disk restored is worse than a question. */
async function findLatest(repository: Repository): Promise<Stem> {
  let latest: PointEntry | undefined
  for await (const point of repository.listPoints({ unreadable: 'show' })) {
    if (latest !== undefined && latest.series !== point.series)
      throw new HoldfastError('InvalidRequest', 'this repository holds points of several VMs: which latest?', {
        hint: 'Give the id of a point; `holdfast repo ls` lists them by VM.',
      })
    // One that cannot be read now may be the newest: taking an older one in silence would be a wrong answer.
    if (point.state === 'unreadable')
      throw new HoldfastError('InvalidRequest', `${point.stem} cannot be read, and may be the latest`, {
        hint: 'Try again, or give the id of the point that you want.',
      })
    if (point.state === 'recovery-point' && point.createdMs > (latest?.createdMs ?? -1)) latest = point
  }
  if (latest) return latest.stem
  throw new HoldfastError('NotFound', 'there is no point in this repository that can be restored', {
    hint: 'List them with `holdfast repo ls`.',
  })
}
