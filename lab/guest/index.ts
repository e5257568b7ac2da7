/**
 * The guest of the lab: a Linux that lives in memory, built from the distribution's packages without root and cached
 * by content. It mounts the disks it finds, answers its agent within seconds, and brings a workload and the commands
 * that check what the workload wrote.
 */
export { buildGuest } from './build.ts'
export type { Guest, GuestOptions } from './build.ts'
export { BOOT_DISK_SIZE, KERNEL_ARGUMENTS } from './boot-disk.ts'
