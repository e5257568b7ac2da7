import { transactionActions, type BitmapAction } from '../../qmp/index.ts'
import { isDeath } from '../effects.ts'
import type { Monitor } from '../vm.ts'
import type { Undoing } from './dismantle.ts'

/**
 * Removes bitmaps: all in one transaction if that works, else one by one, so that a bitmap in use by somebody else
 * keeps none but itself.
 */
export async function removeBitmaps(
  monitor: Monitor,
  removals: readonly BitmapAction[],
  undoing: Undoing,
): Promise<void> {
  if (removals.length === 0) return
  try {
    await monitor.call('transaction', { actions: transactionActions(removals) })
  } catch (error) {
    if (isDeath(error) || !monitor.client.isOpen) throw error
    for (const removal of removals)
      await undoing.try('bitmap', bitmapId(removal), () =>
        monitor.call('transaction', { actions: transactionActions([removal]) }),
      )
  }
}

function bitmapId(action: BitmapAction): string {
  return action.do === 'merge' ? `${action.node}/${action.target}` : `${action.node}/${action.name}`
}
