import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import { cacheFolder } from '../../appliance/index.ts'

/**
 * The stores that tests start, each at one version. Where they come from is known to `deploy/bootstrap/prepare-stores.ts`,
 * which installs them; here they are only found.
 */
export const storeVersions = {
  seaweedfs: '4.48',
  azurite: '3.36.0',
  versitygw: 'v1.8.0',
  minio: 'v0.0.0-20260212201848-7aac2a2c5b7c',
} as const

export type StoreProgram = keyof typeof storeVersions

const files: { readonly [program in StoreProgram]: string } = {
  seaweedfs: 'venv/bin/weed',
  azurite: 'node_modules/azurite/dist/src/blob/main.js',
  versitygw: 'bin/versitygw',
  minio: 'bin/minio',
}

/** Where a program is or will be installed: a folder of its version, and the file in it that is started. */
export function storePlace(program: StoreProgram, cache = cacheFolder()): { folder: string; file: string } {
  const folder = join(cache, 'stores', `${program}-${storeVersions[program]}`)
  return { folder, file: join(folder, files[program]) }
}

/** Throws PackageMissing with the command that installs it. */
export function requireStore(program: StoreProgram): string {
  const { file } = storePlace(program)
  if (existsSync(file)) return file
  const command = program === 'seaweedfs' || program === 'azurite' ? 'npm test -- contract' : 'npm run test:stores'
  throw new HoldfastError('PackageMissing', `${program} is not installed`, { hint: `It is installed by: ${command}` })
}
