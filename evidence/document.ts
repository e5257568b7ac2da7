import { HoldfastError } from '../base/index.ts'
import type { DrillEvidence } from './types.ts'

/**
 * The signed text as what it says. Only for what was signed: its shape is then as Holdfast wrote it. Throws FormatError
 * for what is no evidence of a drill, and FormatUnsupported for that of a later version.
 */
export function readDocument(payload: string): DrillEvidence {
  let value: unknown
  try {
    value = JSON.parse(payload)
  } catch (cause) {
    throw new HoldfastError('FormatError', 'what was signed is no JSON', { cause })
  }
  const { kind, v } = (value ?? {}) as Partial<Record<'kind' | 'v', unknown>>
  if (kind !== 'holdfast/drill-evidence')
    throw new HoldfastError('FormatError', 'what was signed is no evidence of a drill')
  if (v !== 1)
    throw new HoldfastError('FormatUnsupported', `this evidence is of version ${String(v)}`, {
      hint: 'Verify it with the version of Holdfast that made it, or a later one.',
    })
  return value as DrillEvidence
}
