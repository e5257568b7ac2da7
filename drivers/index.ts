/**
 * Drivers: everything between Holdfast and a hypervisor. A driver opens a point in time of a VM, yields changed
 * extents and a range reader per disk, and ends the point with commit or abort. It never sees a repository.
 */
export type * from './values.ts'
export type * from './driver.ts'
export type * from './facets.ts'
export type * from './capabilities.ts'
export { describeImages, listLooseImages } from './image/index.ts'
export { installationTag, opKeyFor } from './names.ts'

import type { DriverModule } from './capabilities.ts'
import { image } from './image/index.ts'
import { qemu } from './qemu/index.ts'

/** Drivers by platform. */
export const driverModules = { image, qemu } satisfies { readonly [platform: string]: DriverModule }
