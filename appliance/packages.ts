import { readFile, readdir } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { HoldfastError, isHoldfastError } from '../base/index.ts'
import { runProgram } from '../drivers/transport/index.ts'

export type Progress = (line: string) => void

export interface FetchedPackage {
  readonly file: string
  readonly sha256: string
}

/** The kernel for virtual machines: Debian's name, then Ubuntu's. */
const kernels = ['linux-image-cloud-amd64', 'linux-image-virtual']

/**
 * Downloads the kernel, the packages of `programs` and the libraries below them into `folder` and unpacks them into
 * `tree`; nothing is installed. Throws `PackageMissing` naming the package that apt does not know, with the command that
 * helps.
 */
export async function fetchPackages(
  programs: readonly string[],
  folder: string,
  tree: string,
  progress: Progress,
): Promise<FetchedPackage[]> {
  const kernel = await kernelPackages()
  const libraries = await libraryPackages(programs)
  const names = [...new Set([...kernel, ...programs, ...libraries])].sort()
  progress(`downloading ${names.length} packages (about 40 MB)`)
  // apt changes to an unprivileged user that may not write here; as root it downloads as root.
  await apt('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...names], folder)
  const files = (await readdir(folder)).filter((f) => f.endsWith('.deb')).sort()
  if (files.length < names.length)
    throw new HoldfastError(
      'PackageMissing',
      `apt downloaded ${files.length} of ${names.length} packages of the small guest`,
    )
  progress(`unpacking ${files.length} packages`)
  const fetched: FetchedPackage[] = []
  for (const file of files) {
    await runProgram('dpkg-deb', ['-x', join(folder, file), tree])
    fetched.push({
      file,
      sha256: createHash('sha256')
        .update(await readFile(join(folder, file)))
        .digest('hex'),
    })
  }
  return fetched
}

/** The package behind the meta package, and the one with its modules where they are apart (Ubuntu). */
async function kernelPackages(): Promise<string[]> {
  for (const meta of kernels) {
    const found = new Set<string>()
    let level = [meta]
    while (level.length > 0) {
      const next = (await dependencies(level)).filter(
        (name) => /^linux-(image|modules)-\d/.test(name) && !found.has(name),
      )
      for (const name of next) found.add(name)
      level = next
    }
    if (found.size > 0) return [...found]
  }
  throw unknownPackage(kernels[0] ?? '')
}

/** All libraries below the programs; what else they depend on serves a full system and is left out. */
async function libraryPackages(roots: readonly string[]): Promise<string[]> {
  const found = new Set<string>()
  let level: readonly string[] = roots
  while (level.length > 0) {
    const next = new Set((await dependencies(level)).filter((name) => name.startsWith('lib') && !found.has(name)))
    next.add('zlib1g')
    level = [...next].filter((name) => !found.has(name))
    for (const name of level) found.add(name)
  }
  return [...found]
}

async function dependencies(names: readonly string[]): Promise<string[]> {
  const { out } = await apt('apt-cache', ['depends', '--important', ...names])
  return out.split('\n').flatMap((line) => /^\s+\|?(?:Pre)?Depends: ([a-z0-9][a-z0-9.+-]*)/.exec(line)?.[1] ?? [])
}

async function apt(program: string, args: readonly string[], cwd = '/'): Promise<{ out: string }> {
  try {
    return await runProgram(program, args, { cwd, env: { ...process.env, LC_ALL: 'C' } })
  } catch (error) {
    const text = isHoldfastError(error) ? (error.native?.text ?? '') : ''
    const missing =
      /(?:Unable to locate package|No packages found|Can't find a source to download version .* of) ?'?([a-z0-9.+-]*)/.exec(
        text,
      )
    if (missing !== null) throw unknownPackage(missing[1] || args.slice(2).join(' '), error)
    throw error
  }
}

function unknownPackage(name: string, cause?: unknown): HoldfastError {
  return new HoldfastError('PackageMissing', `apt knows no package ${name}, which the small guest is made of`, {
    hint: 'Bring apt’s lists up to date: sudo apt-get update',
    cause,
    data: { package: name },
  })
}
