import { readFileSync, readdirSync } from 'node:fs'

export interface LivingProcess {
  readonly pid: number
  readonly command: string
}

/** All that works in a home, whoever its parent is: by the environment it inherited or by its command line. */
export function processesOf(home: string): readonly LivingProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      if (!/^\d+$/.test(name)) return []
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
      const isMine = command.includes(home) || readFileSync(`/proc/${name}/environ`, 'utf8').includes(`=${home}`)
      return isMine && command !== '' ? [{ pid: Number(name), command }] : []
    } catch (error) {
      // It ended meanwhile, or is somebody else's.
      if (['ENOENT', 'ESRCH', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
      throw error
    }
  })
}

/** The same without the guests: their QEMU belongs to the hypervisor. */
export function holdfastProcesses(home: string): readonly LivingProcess[] {
  return processesOf(home).filter(({ command }) => !isGuest(command))
}

/** The guests of a lab below the home, by the folder in which each runs. */
export function guestsOf(home: string): readonly string[] {
  return processesOf(home)
    .map(({ command }) => command)
    .filter(isGuest)
    .sort()
}

function isGuest(command: string): boolean {
  return /^\S*qemu-system-/.test(command)
}
