import { homedir } from 'node:os'
import { join } from 'node:path'

/** `HOLDFAST_HOME`, else `~/.holdfast`. Makes nothing. */
export function homeFolder(env: { readonly [name: string]: string | undefined }): string {
  return env['HOLDFAST_HOME'] || join(homedir(), '.holdfast')
}
