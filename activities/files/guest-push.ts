import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import { plainText, type FileEntry, type FileGateway, type FilePage } from '../../files/index.ts'
import type { RestoredFiles } from '../../workflows/files/contract.ts'
import { folderOf } from './guest-plan.ts'
import type { GuestShell } from './guest-shell.ts'
import type { FilesToGuest, FilesToGuestPlan } from './types.ts'

const page = 500
/** Told one by one; the rest is counted. */
const mostTold = 20
/** Folders below one another. */
const deepest = 100

/** Owner, mode and time; the hash last, of what the guest reads back. Prints `<failures> <sha256>`. */
const finish = `s=$(sha256sum < "$1" 2>/dev/null); e=$( { chown "$2:$3" "$1" && chmod "$4" "$1" && touch -d "@$5" "$1"; } 2>&1 ) && e=
printf '%s\\n%s' "\${s%% *}" "$e"`
const finishFolder = `{ chown "$2:$3" "$1" && chmod "$4" "$1" && touch -d "@$5" "$1"; } 2>&1 || true`
/** A hard link refuses a name that is there, also one that came a moment ago; not every file system has them. */
const taken = 17
/** The folder is no longer the one that was looked at: a link was put in its way. */
const moved = 18
/**
 * `$1` the folder in which it grew, `$2` the folder of the target, `$3` its name there, `$4` what the way to that folder is
 * without links. Once inside, the folder is that one, whatever becomes of its name; a name in it is never followed as a link.
 */
const enter = `cd -P -- "$2" || exit 1
if [ -n "$4" ] && [ "$(pwd -P)" != "$4" ]; then exit ${moved}; fi
`
const nameNew = `${enter}if [ -e "./$3" ] || [ -L "./$3" ]; then exit ${taken}; fi
if [ -f "$1/$3" ] && [ ! -L "$1/$3" ] && ln -- "$1/$3" . 2>/dev/null; then rm -f -- "$1/$3"; else mv -n -- "$1/$3" .; fi
[ ! -e "$1/$3" ] && [ ! -L "$1/$3" ] && rmdir -- "$1"`
const nameOver = `${enter}if [ -d "./$3" ] && [ ! -L "./$3" ]; then exit ${taken}; fi
mv -f -- "$1/$3" . && rmdir -- "$1"`
const named = `[ ! -e "$1/$3" ] && [ ! -L "$1/$3" ] && { [ -e "$2/$3" ] || [ -L "$2/$3" ]; } && { rmdir -- "$1" 2>/dev/null || true; }`

interface Figures {
  files: number
  folders: number
  links: number
  bytes: number
  verified: number
  skipped: { path: string; why: string }[]
  skippedCount: number
}

export type RestoredFigures = Readonly<Omit<RestoredFiles, 'made'>>

/** One run's way into the guest, path by path. */
export class Pushing {
  readonly #files: FileGateway
  readonly #shell: GuestShell
  readonly #input: FilesToGuest & { readonly plan: FilesToGuestPlan }
  readonly #signal: AbortSignal
  readonly #tell: (what: string) => void
  #figures: Figures = { files: 0, folders: 0, links: 0, bytes: 0, verified: 0, skipped: [], skippedCount: 0 }

  constructor(
    files: FileGateway,
    shell: GuestShell,
    input: FilesToGuest & { readonly plan: FilesToGuestPlan },
    signal: AbortSignal,
    tell: (what: string) => void,
  ) {
    this.#files = files
    this.#shell = shell
    this.#input = input
    this.#signal = signal
    this.#tell = tell
  }

  get done(): RestoredFiles {
    return { made: this.#input.plan.targets, ...this.#figures }
  }

  /** In its staging folder, from its beginning. */
  async write(index: number): Promise<void> {
    const [staged, folder, name] = this.#place(index)
    await this.#shell.must('rm -rf -- "$1" && mkdir -p -- "$2" && mkdir -m 700 -- "$1"', [staged, folder])
    await this.#put(await this.#stat(this.#input.paths[index] ?? ''), `${staged}/${name}`, 0)
    await this.#shell.must('sync', [])
  }

  /** Gives it its own name: from now on it is the guest's. */
  async name(index: number): Promise<void> {
    const script = this.#input.place.kind === 'replace' ? nameOver : nameNew
    const target = this.#input.plan.targets[index] ?? ''
    const { exit, err } = await this.#shell.ask(script, this.#place(index))
    if (exit === 0) return
    // Somebody has made it since the plan: it is theirs, and no attempt changes that.
    if (exit === taken) throw new HoldfastError('InvalidRequest', `there is ${target} in the guest by now`)
    if (exit === moved)
      throw new HoldfastError('InvalidRequest', `the way to ${folderOf(target)} in the guest has changed meanwhile`, {
        hint: 'Somebody put a link in its way. Look who, or restore into a folder that only root may change.',
      })
    throw new HoldfastError(
      'TargetWriteFailed',
      `the guest could not give ${target} its name: ${err.trim() || `exit ${exit}`}`,
    )
  }

  /** After a name that may have been given: what grew is gone, and the target is there. */
  async isNamed(index: number): Promise<boolean> {
    return (await this.#shell.ask(named, this.#place(index))).exit === 0
  }

  /** What was done by now; an attempt that goes on begins with it. */
  get figures(): RestoredFigures {
    return structuredClone(this.#figures)
  }

  goOn(figures: RestoredFigures): void {
    this.#figures = structuredClone(figures) as Figures
  }

  /** Of what an attempt of before 24 November 2026 has written, which says nothing of it. */
  async count(index: number): Promise<void> {
    await this.#countEntry(await this.#stat(this.#input.paths[index] ?? ''), 0)
  }

  async #countEntry(entry: FileEntry, depth: number): Promise<void> {
    if (entry.kind === 'file') {
      this.#figures.files += 1
      this.#figures.bytes += entry.size
    } else if (entry.kind === 'link') this.#figures.links += 1
    else if (entry.kind === 'folder' && depth < deepest) {
      this.#figures.folders += 1
      for await (const child of this.#children(entry)) await this.#countEntry(child, depth + 1)
    }
  }

  async #put(entry: FileEntry, at: string, depth: number): Promise<void> {
    this.#signal.throwIfAborted()
    this.#tell(`writing ${entry.path}`)
    if (entry.kind === 'file') return await this.#putFile(entry, at)
    if (entry.kind === 'link') return await this.#putLink(entry, at)
    if (entry.kind !== 'folder') return this.#skip(entry, `a ${entry.kind} is not restored into a guest`)
    if (depth >= deepest) return this.#skip(entry, 'too many folders below one another')
    await this.#shell.must('mkdir -- "$1"', [at])
    for await (const child of this.#children(entry)) {
      const name = plainText(child.name)
      if (name === null) this.#skip(child, 'its name is no text, and the agent takes texts only')
      else await this.#put(child, `${at}/${name}`, depth + 1)
    }
    const said = await this.#shell.must(finishFolder, [at, ...ownership(entry)])
    if (said.trim() !== '') this.#skip(entry, `its owner, mode or time: ${said.trim()}`)
    this.#figures.folders += 1
  }

  async #putFile(entry: FileEntry, at: string): Promise<void> {
    const { session, volume } = this.#input
    const hash = createHash('sha256')
    const question = { what: 'content', volume, path: entry.path, start: 0, end: null } as const
    const { size, body } = await this.#files.stream(session, question, this.#signal)
    let bytes = 0
    const tell = this.#tell
    await this.#shell.write(
      at,
      (async function* () {
        for await (const data of body) {
          hash.update(data)
          bytes += data.byteLength
          tell(`writing ${entry.path}`)
          // A copy: drivers gather small parts, and the memory of this one is used again.
          yield Uint8Array.from(data)
        }
      })(),
    )
    if (size !== null && bytes !== size)
      throw new HoldfastError('SourceReadFailed', `${entry.path} ended after ${bytes} of ${size} bytes`)
    const [read = '', ...problem] = (await this.#shell.must(finish, [at, ...ownership(entry)])).split('\n')
    const wanted = hash.digest('hex')
    if (read !== '' && read !== wanted)
      throw new HoldfastError(
        'TargetWriteFailed',
        `the guest reads something else than was written for ${entry.path}`,
        {
          hint: 'Look at the file system and the log of the guest before you write more to it.',
        },
      )
    if (problem.join('').trim() !== '') this.#skip(entry, `its owner, mode or time: ${problem.join(' ').trim()}`)
    this.#figures.files += 1
    this.#figures.bytes += bytes
    if (read !== '') this.#figures.verified += 1
  }

  async #putLink(entry: FileEntry, at: string): Promise<void> {
    const target = plainText((await this.#stat(entry.path)).target ?? '')
    if (target === null || target === '') return this.#skip(entry, 'where it leads is no text')
    const [uid, gid] = ownership(entry)
    await this.#shell.must('ln -s -- "$1" "$2" && { chown -h "$3:$4" "$2" 2>/dev/null || true; }', [
      target,
      at,
      uid,
      gid,
    ])
    this.#figures.links += 1
  }

  async *#children(folder: FileEntry): AsyncGenerator<FileEntry, void, undefined> {
    const { session, volume } = this.#input
    for (let from: number | null = 0; from !== null;) {
      const question = { what: 'list', volume, path: folder.path, from, limit: page } as const
      const found: FilePage = await this.#files.ask(session, question, this.#signal)
      yield* found.items
      from = found.next
      if (from === null && !found.isComplete) this.#skip(folder, 'it has more names than are read')
    }
  }

  #stat(path: string): Promise<FileEntry> {
    const { session, volume } = this.#input
    return this.#files.ask(session, { what: 'stat', volume, path }, this.#signal)
  }

  #skip({ path }: FileEntry, why: string): void {
    this.#figures.skippedCount += 1
    if (this.#figures.skipped.length < mostTold)
      this.#figures.skipped.push({ path: path.slice(0, 200), why: why.slice(0, 200) })
  }

  /** As arguments of the scripts that give names. */
  #place(index: number): [staged: string, folder: string, name: string, way: string] {
    const { targets, staged, folders } = this.#input.plan
    const target = targets[index] ?? ''
    const way = folders?.[index]
    return [staged[index] ?? '', way ?? (folderOf(target) || '/'), target.slice(target.lastIndexOf('/') + 1), way ?? '']
  }
}

/** As arguments of `finish`: numbers, so that names of the guest do not matter. */
function ownership({ uid, gid, mode, modifiedMs }: FileEntry): [string, string, string, string] {
  return [String(uid), String(gid), mode.toString(8), String(Math.floor(modifiedMs / 1000))]
}
