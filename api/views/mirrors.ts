import type { z } from '@hono/zod-openapi'
import type { MirrorState, ShipmentRow } from '../../catalog/index.ts'
import type { mirrorSchema, shipmentSchema } from '../schemas/mirrors.ts'
import { mirrorLagMs } from '../../policy/index.ts'

export function mirrorView(
  { oldestMs, ...state }: MirrorState,
  shipments: readonly ShipmentRow[],
  nowMs: number,
): z.infer<typeof mirrorSchema> {
  const own = shipments.find((one) => one.sourceId === state.sourceId && one.targetId === state.targetId)
  return {
    ...state,
    lagMs: oldestMs === null ? 0 : mirrorLagMs(oldestMs, nowMs),
    shipment: own === undefined ? null : shipmentView(own, nowMs),
  }
}

export function shipmentView(
  { sentMs, untilMs, note, user }: ShipmentRow,
  nowMs: number,
): z.infer<typeof shipmentSchema> {
  return { sentMs, untilMs, isOverdue: untilMs <= nowMs, note, user }
}
