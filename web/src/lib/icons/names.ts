/** Symbols of the sprite in Sprite.svelte; a test compares the two. */
export const iconNames = [
  'ok', 'run', 'warn', 'fail', 'idle', 'unknown', 'next', 'skip', 'undo', 'retry', 'clock',
  'overview', 'vms', 'runs', 'restore', 'drills', 'repos', 'search', 'chev', 'down', 'up', 'filter', 'x', 'plus', 'copy', 'ext',
  'pause', 'play', 'lock', 'file', 'menu', 'more', 'theme', 'user', 'disk', 'info', 'key', 'net', 'brand',
] as const

export type IconName = (typeof iconNames)[number]
