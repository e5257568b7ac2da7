/**
 * Small guests: kernel and initramfs of a Linux that lives in memory, built from the distribution's packages without root
 * and cached by content. What such a guest is for, and so what is in it, is told by a recipe: the lab's guest and the one
 * that opens file systems are two of them.
 */
export { buildAppliance, cacheFolder } from './build.ts'
export type { Appliance, BuildOptions } from './build.ts'
export type { Progress } from './packages.ts'
export type { Recipe } from './recipe.ts'
