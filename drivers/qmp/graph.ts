import type { BitmapView } from './round/types.ts'

/** What is asked of QEMU is asked through this, so that a driver can count, limit and record its calls. */
export interface QmpCaller {
  call<T>(command: string, args?: { readonly [name: string]: unknown }): Promise<T>
}

export interface BlockNode {
  readonly name: string
  readonly driver: string
  /** Bytes. */
  readonly size: number
  readonly filename: string
  readonly bitmaps: readonly BitmapView[]
}

interface NamedNode {
  readonly 'node-name'?: string
  readonly drv: string
  readonly image: { readonly 'virtual-size': number; readonly filename: string }
  readonly 'dirty-bitmaps'?: readonly RawBitmap[]
}
interface RawBitmap {
  readonly name?: string
  readonly recording?: boolean
  readonly busy?: boolean
  readonly persistent?: boolean
  readonly inconsistent?: boolean
  readonly count: number
}
interface RawGraph {
  readonly nodes: readonly { readonly id: number; readonly type: string; readonly name: string }[]
  readonly edges: readonly { readonly parent: number; readonly child: number; readonly name: string }[]
}

/** Drivers that show their child's content unchanged; a job puts one above the disk while it runs. */
const filters = new Set([
  'copy-before-write',
  'mirror_top',
  'commit_top',
  'copy-on-read',
  'throttle',
  'compress',
  'preallocate',
])

/** QEMU's block graph at one moment: which node a device stands on, and what lies below it. */
export class BlockGraph {
  readonly #nodes: ReadonlyMap<string, BlockNode>
  readonly #children: ReadonlyMap<string, ReadonlyMap<string, string>>

  private constructor(
    nodes: ReadonlyMap<string, BlockNode>,
    children: ReadonlyMap<string, ReadonlyMap<string, string>>,
  ) {
    this.#nodes = nodes
    this.#children = children
  }

  static async read(qmp: QmpCaller): Promise<BlockGraph> {
    const named = await qmp.call<readonly NamedNode[]>('query-named-block-nodes', { flat: true })
    const raw = await qmp.call<RawGraph>('x-debug-query-block-graph')
    const nodes = new Map<string, BlockNode>()
    for (const n of named) {
      const name = n['node-name']
      if (name === undefined) continue
      nodes.set(name, {
        name,
        driver: n.drv,
        size: n.image['virtual-size'],
        filename: n.image.filename,
        bitmaps: (n['dirty-bitmaps'] ?? []).flatMap((b) => bitmapView(name, b)),
      })
    }
    const nameOf = new Map(raw.nodes.map((n) => [n.id, n.name]))
    const children = new Map<string, Map<string, string>>()
    for (const { parent, child, name } of raw.edges) {
      const [from, to] = [nameOf.get(parent), nameOf.get(child)]
      if (from === undefined || to === undefined) continue
      const edges = children.get(from) ?? new Map<string, string>()
      children.set(from, edges.set(name, to))
    }
    return new BlockGraph(nodes, children)
  }

  node(name: string): BlockNode | undefined {
    return this.#nodes.get(name)
  }

  names(): readonly string[] {
    return [...this.#nodes.keys()]
  }

  /** Node right below a device's backend (`/machine/peripheral/<id>/virtio-backend`). */
  root(backend: string): string | undefined {
    return this.#children.get(backend)?.get('root')
  }

  /** Every device with a disk that QEMU has now, described or not: its id, and the node right below it. */
  devices(): readonly { readonly id: string; readonly top: string }[] {
    return [...this.#children].flatMap(([parent, edges]) => {
      const id = /^\/machine\/peripheral\/([^/]+)\/virtio-backend$/.exec(parent)?.[1]
      const top = edges.get('root')
      return id === undefined || top === undefined ? [] : [{ id, top }]
    })
  }

  child(name: string): string | undefined {
    return this.#children.get(name)?.get('file')
  }

  /** The node with the disk's current content: filters, ours and those of jobs, are looked through. */
  active(name: string): BlockNode | undefined {
    let at: string | undefined = name
    for (let depth = 0; at !== undefined && depth < 64; depth++) {
      const node = this.#nodes.get(at)
      const isFilter = node ? filters.has(node.driver) : this.#children.has(at)
      if (!isFilter) return node
      at = this.#children.get(at)?.get('file') ?? this.#children.get(at)?.get('backing')
    }
    return undefined
  }

  /** The node itself and its backing files, top first. */
  chain(name: string): readonly BlockNode[] {
    const out: BlockNode[] = []
    let at: string | undefined = name
    while (at !== undefined && out.length < 256) {
      const node = this.active(at)
      if (!node) break
      out.push(node)
      at = this.#children.get(node.name)?.get('backing')
    }
    return out
  }
}

function bitmapView(node: string, b: RawBitmap): BitmapView[] {
  // Jobs keep bitmaps without a name.
  if (b.name === undefined || b.name === '') return []
  return [
    {
      node,
      name: b.name,
      recording: b.recording ?? false,
      busy: b.busy ?? false,
      persistent: b.persistent ?? false,
      inconsistent: b.inconsistent ?? false,
      count: b.count,
    },
  ]
}
