import type { PointDetail } from '#lib/api/types.ts'
import { quoted } from '#lib/act/commands.ts'

export type ChangeVerdict = NonNullable<NonNullable<PointDetail['changed']>['review']>['verdict']

/** `0.314` → `31 %`. */
export function shareWords(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function reviewCommand(
  { vmId, id }: Pick<PointDetail, 'vmId' | 'id'>,
  verdict: ChangeVerdict,
  reason: string,
): string {
  return `holdfast point review ${quoted(vmId)} ${id} --as ${verdict} --reason ${quoted(reason.trim() || '…')}`
}
