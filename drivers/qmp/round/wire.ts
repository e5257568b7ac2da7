import type { BitmapAction } from './types.ts'

/** Bytes of the disk that one bit stands for; QEMU's default for qcow2 clusters, and ours everywhere. */
export const GRANULARITY = 65_536

/** Elements of the `actions` of a QMP `transaction` (QEMU, qapi/transaction.json). */
export function transactionActions(
  actions: readonly BitmapAction[],
): { readonly type: string; readonly data: object }[] {
  return actions.map((a) => {
    switch (a.do) {
      case 'add':
        return {
          type: 'block-dirty-bitmap-add',
          data: {
            node: a.node,
            name: a.name,
            persistent: a.persistent,
            disabled: a.disabled,
            granularity: GRANULARITY,
          },
        }
      case 'merge':
        return { type: 'block-dirty-bitmap-merge', data: { node: a.node, target: a.target, bitmaps: [a.from] } }
      case 'remove':
        return { type: 'block-dirty-bitmap-remove', data: { node: a.node, name: a.name } }
    }
  })
}
