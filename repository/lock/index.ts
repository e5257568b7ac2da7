/**
 * Object lock (docs/repository-format.md §11.5): until when what is written is kept, in generations, by the store's clock; and
 * the connection that sets it with every PUT of what must stay. Extending what exists is the commit's (W2x), meeting what is
 * locked the collector's.
 */
export { descriptorOf } from './descriptor.ts'
export { DAY_MS, generationEnd, lockDay } from './generation.ts'
export { lockingConnect } from './locking-store.ts'
export { locksOf } from './locks-of.ts'
export { Retention } from './retention.ts'
