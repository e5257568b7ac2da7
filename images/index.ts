/**
 * Disk images as files: raw, qcow2, VMDK, VHDX and VHD. Written from first byte to last, so that they go down a pipe or an
 * HTTP answer without a copy on disk (ADR 0751); looked at before anybody opens one, because a header may name other files.
 */
export { imageFormats, sourceOf } from './types.ts'
export type { ImageFormat, ImageSource, ImageStream } from './types.ts'
export { diskIdentity, streamImage } from './write/index.ts'
export { lookAtImage, qemuName } from './look/index.ts'
