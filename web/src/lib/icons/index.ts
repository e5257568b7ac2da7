/** The one icon set: names typed after the sprite. `Sprite` is placed once, in the layout; `Icon` refers to it. */
export { default as Icon } from './Icon.svelte'
export { default as Sprite } from './Sprite.svelte'
export type { IconName } from './names.ts'
