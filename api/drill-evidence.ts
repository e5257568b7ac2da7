import { HoldfastError, isHoldfastError } from '../base/index.ts'
import type { DrillView } from '../catalog/index.ts'
import { verifyBundle, type DrillEvidence, type EvidenceBundle, type EvidenceReport } from '../evidence/index.ts'
import type { ApiDeps } from './deps.ts'
import { readEvidence } from './evidence.ts'

type Deps = Pick<ApiDeps, 'catalog' | 'evidenceDir'>

export interface DrillVerification extends EvidenceReport {
  readonly signedMs: number
}

/**
 * What was signed of a drill, with its picture. Throws NotFound for a drill of a version that signed nothing, FormatError
 * where the picture is no longer what it was.
 */
export async function drillBundle({ catalog, evidenceDir }: Deps, drill: DrillView): Promise<EvidenceBundle> {
  const signed = catalog.evidence.ofDrill(drill.id)
  const key = signed && catalog.evidence.key(signed.keyId)
  if (signed === undefined || key === undefined)
    throw new HoldfastError('NotFound', `nothing was signed of the drill ${drill.id}`, {
      hint: 'Evidence is signed since the version that can export it; drill the VM again.',
    })
  const { payload, keyId, signature } = signed
  const picture = drill.screenshot === null ? null : await pictureOf(evidenceDir, drill.screenshot)
  return { payload, keyId, signature, publicKey: key.publicKey, picture }
}

/** Whether what is kept of the drill is what was signed: the document, the picture, and what the lists show of it. */
export async function verifyDrill(deps: Deps, drill: DrillView): Promise<DrillVerification> {
  const { catalog } = deps
  const signedMs = catalog.evidence.ofDrill(drill.id)?.signedMs ?? 0
  const trusted = catalog.evidence.keys().map(({ id }) => id)
  let bundle: EvidenceBundle
  let changed = false
  try {
    bundle = await drillBundle(deps, drill)
  } catch (error) {
    if (!isHoldfastError(error) || error.code !== 'FormatError') throw error
    bundle = await drillBundle(deps, { ...drill, screenshot: null })
    changed = true
  }
  const report = verifyBundle(bundle, trusted)
  const problems = [
    ...report.problems,
    ...(changed ? ['the picture is not the one that was signed'] : []),
    ...(report.document === null ? [] : differences(report.document, drill)),
  ]
  const picture = changed ? 'changed' : report.picture
  return { ...report, isGenuine: problems.length === 0, problems, picture, signedMs }
}

/** Where the catalog shows something else than what was signed. */
function differences(signed: DrillEvidence, drill: DrillView): string[] {
  const pairs: readonly [string, unknown, unknown][] = [
    ['the drill', signed.drill.id, drill.id],
    ['the VM', signed.vm.id, drill.vmId],
    ['the point', signed.point.id, drill.pointId],
    ['the verdict', signed.verdict, drill.verdict],
    ['the reason', signed.why, drill.why],
    ['the time to recovery', signed.rtoSeconds, drill.rtoSeconds],
    ['the end', signed.ended, new Date(drill.endedMs).toISOString()],
    ['the picture', signed.screenshot?.sha256 ?? null, drill.screenshot],
    ['the checks', passedOf(signed.checks), passedOf(drill.checks)],
  ]
  return pairs.filter(([, was, is]) => was !== is).map(([what]) => `${what} in the catalog is not what was signed`)
}

function passedOf(
  checks: readonly { readonly title: string; readonly passed: boolean; readonly out: string }[],
): string {
  return JSON.stringify(checks.map(({ title, passed, out }) => [title, passed, out]))
}

/** null: it is no longer there, such as after a rebuild on another machine. */
async function pictureOf(dir: string, sha256: string): Promise<Uint8Array | null> {
  try {
    return (await readEvidence(dir, sha256)).bytes
  } catch (error) {
    if (isHoldfastError(error) && error.code === 'NotFound') return null
    throw error
  }
}
