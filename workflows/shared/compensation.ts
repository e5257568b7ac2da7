import { CancellationScope } from '@temporalio/workflow'
import { errorOf } from './failures.ts'
import type { ResidueItem } from './contract.ts'

/** What is left if an undo cannot be carried out within its deadline. */
export interface Leftover {
  readonly kind: string
  readonly id: string
  /** What to do about it. Default: the next run of the VM removes it. */
  readonly hint?: string
}

interface Entry {
  readonly leftover: Leftover
  readonly undo: () => Promise<readonly ResidueItem[]>
}

/**
 * What has to be undone, last in, first out. An entry is pushed *before* the step that it undoes, because a step may
 * half-happen. Every undo is idempotent, has its own retries and deadline (profile `cleanup`), cannot be cancelled,
 * and never hides the error that caused it: what it could not do becomes residue.
 */
export class Compensations {
  readonly #entries: Entry[] = []
  readonly #residue: ResidueItem[] = []

  /** Returns a function that takes the entry off again, for when the step has come to its good end. */
  push(leftover: Leftover, undo: () => Promise<readonly ResidueItem[]>): () => void {
    const entry: Entry = { leftover, undo }
    this.#entries.push(entry)
    return () => {
      const at = this.#entries.indexOf(entry)
      if (at >= 0) this.#entries.splice(at, 1)
    }
  }

  /** A stack of its own on top of this one: it can be unwound alone, and goes with this one. */
  part(): Compensations {
    const inner = new Compensations()
    this.#entries.push({
      leftover: { kind: 'part', id: '' },
      undo: async () => {
        await inner.unwind()
        return inner.residue
      },
    })
    return inner
  }

  /** The process has come to its good end: nothing is to be undone any more. */
  forget(): void {
    this.#entries.length = 0
  }

  /** Something is left, or may be, that no undo can take away. */
  leave(item: ResidueItem): void {
    this.#residue.push(item)
  }

  get pending(): number {
    return this.#entries.length
  }

  /** What all undoings so far could not undo. */
  get residue(): readonly ResidueItem[] {
    return this.#residue
  }

  async unwind(): Promise<void> {
    await CancellationScope.nonCancellable(async () => {
      for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
        this.#residue.push(...(await carryOut(entry)))
      }
    })
  }
}

async function carryOut(entry: Entry): Promise<readonly ResidueItem[]> {
  try {
    return await entry.undo()
  } catch (thrown) {
    const error = errorOf(thrown)
    const { kind, id, hint = 'The next run of this VM removes it, or remove it by hand.' } = entry.leftover
    return [
      { kind, id, error: error?.message ?? 'the cleanup was cancelled', hint: `${error?.hint ?? ''} ${hint}`.trim() },
    ]
  }
}
