import type { ChangeRef, DiskKey } from '../../values.ts'
import type { BitmapAction, BitmapRef, BitmapView, DiskView } from './types.ts'

interface SimulatedBitmap {
  readonly persistent: boolean
  recording: boolean
  inconsistent: boolean
  /** Whether a clean stop has ever written it to the file. */
  stored: boolean
  readonly dirty: Set<number>
}

/**
 * One disk of a QEMU in memory, as qemu.md §2.3 observed it: what writes, ends, kills, resizes and overlays do to
 * bitmaps. For tests of the planner; it knows QEMU's rules and none of the planner's.
 */
export class SimulatedDisk {
  readonly tracking: 'persistent' | 'memory'
  node = 'n0'
  content: number[]
  readonly nodes = new Map<string, Map<string, SimulatedBitmap>>([['n0', new Map()]])
  #version = 0
  /** Granules written to each overlay since it was put on top. */
  readonly #overlaid: Set<number>[] = []

  constructor(tracking: 'persistent' | 'memory', granules: number) {
    this.tracking = tracking
    this.content = Array.from({ length: granules }, () => 0)
  }

  view(): DiskView {
    const bitmaps: BitmapView[] = []
    for (const [node, own] of this.nodes)
      for (const [name, b] of own)
        bitmaps.push({
          node,
          name,
          recording: b.recording && !b.inconsistent,
          busy: false,
          persistent: b.persistent,
          inconsistent: b.inconsistent,
          count: b.inconsistent ? 0 : b.dirty.size * 65_536,
        })
    const size = this.content.length * 65_536
    return { key: 'virtio0' as DiskKey, node: this.node, size, volume: 'v', tracking: this.tracking, bitmaps }
  }

  ref(ref: Pick<ChangeRef, 'point' | 'tracker' | 'token' | 'size'>): ChangeRef {
    return { kind: 'qemu-bitmap', volume: 'v', epoch: this.tracking, ...ref }
  }

  write(granule: number): void {
    if (granule >= this.content.length) return
    this.content[granule] = ++this.#version
    this.#overlaid.at(-1)?.add(granule)
    for (const b of this.nodes.get(this.node)?.values() ?? []) if (b.recording && !b.inconsistent) b.dirty.add(granule)
  }

  /** Bits behind the new end are gone for good; the content there reads as zeros after growing again. */
  shrinkAndGrowBack(to: number): void {
    const full = this.content.length
    for (const own of this.nodes.values())
      for (const b of own.values()) for (let g = to; g < full; g++) b.dirty.delete(g)
    this.content = this.content.map((v, g) => (g >= to ? 0 : v))
  }

  /** Shrunk by less than a granule and grown back: its end reads as zeros, and every bit stays as it was. */
  nibble(): void {
    this.content[this.content.length - 1] = 0
  }

  grow(by: number): void {
    this.content.push(...Array.from({ length: by }, () => 0))
  }

  overlay(): void {
    this.#overlaid.push(new Set())
    this.node = `n${this.nodes.size}`
    this.nodes.set(this.node, new Map())
  }

  /** block-commit of the topmost overlay: its writes are recorded below. */
  commitOverlay(): void {
    const at = Number(this.node.slice(1))
    if (at === 0) return
    this.nodes.delete(this.node)
    this.node = `n${at - 1}`
    for (const granule of this.#overlaid.pop() ?? [])
      for (const b of this.nodes.get(this.node)?.values() ?? [])
        if (b.recording && !b.inconsistent) b.dirty.add(granule)
    const below = this.#overlaid.at(-1)
    if (below) for (const granule of this.content.keys()) below.add(granule)
  }

  cleanStop(): void {
    for (const own of this.nodes.values())
      for (const [name, b] of own) {
        if (b.persistent) b.stored = true
        else own.delete(name)
      }
  }

  kill(): void {
    for (const own of this.nodes.values())
      for (const [name, b] of own) {
        if (b.persistent && b.stored) b.inconsistent = true
        else own.delete(name)
      }
  }

  /** All or nothing, as QEMU does it. */
  transaction(actions: readonly BitmapAction[], seed: BitmapRef): void {
    const before = structuredClone(this.nodes)
    try {
      for (const action of actions) this.#act(action, seed)
    } catch (error) {
      this.nodes.clear()
      for (const [node, own] of before) this.nodes.set(node, own)
      throw error
    }
  }

  dirty(name: string): ReadonlySet<number> {
    return this.#find(this.node, name).dirty
  }

  #act(a: BitmapAction, seed: BitmapRef): void {
    const own = this.nodes.get(a.node)
    if (!own) throw new Error(`Node '${a.node}' not found`)
    if (a.do === 'remove') {
      this.#find(a.node, a.name)
      if (a.node !== this.node) throw new Error(`Bitmap '${a.name}' is readonly and cannot be modified`)
      own.delete(a.name)
    } else if (a.do === 'add') {
      if (own.has(a.name)) throw new Error(`Bitmap already exists: ${a.name}`)
      if (a.persistent && this.tracking === 'memory') throw new Error('Cannot store dirty bitmaps in raw')
      own.set(a.name, {
        persistent: a.persistent,
        recording: !a.disabled,
        inconsistent: false,
        stored: false,
        dirty: new Set(),
      })
    } else {
      const target = this.#find(a.node, a.target)
      const isSeed = a.from.node === seed.node && a.from.name === seed.name
      const source = isSeed ? new Set([this.content.length - 1]) : this.#find(a.from.node, a.from.name).dirty
      if (target.inconsistent) throw new Error(`Bitmap '${a.target}' is inconsistent and cannot be used`)
      for (const g of source) target.dirty.add(g)
    }
  }

  #find(node: string, name: string): SimulatedBitmap {
    const found = this.nodes.get(node)?.get(name)
    if (!found) throw new Error(`Dirty bitmap '${name}' not found`)
    return found
  }
}
