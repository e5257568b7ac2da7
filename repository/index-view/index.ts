/**
 * Where blobs are: index segments (docs/repository-format.md §4.6) read in place from files in a local cache, and a view
 * over all of them. The cache is disposable, its files are named and checked by their SHA-256. A home that the view finds
 * is a dated fact; whether it may be relied upon is for the knowledge rule to say (gcstate/).
 */
export { homesOf } from './homes.ts'
export { SegmentFile } from './segment-file.ts'
export { IndexView, segmentName, segmentObject, type IndexedHome } from './view.ts'
