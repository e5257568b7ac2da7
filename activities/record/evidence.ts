import type { Catalog, DrillView } from '../../catalog/index.ts'
import { sealEvidence, type DrillEvidence, type EvidenceDisk, type EvidenceSeal } from '../../evidence/index.ts'
import type { DrillCheck } from '../../workflows/drill/contract.ts'
import type { ProofRecord } from './types.ts'

/**
 * Signs what a drill has shown, once: what was signed first stays. Names and promises are those of this moment, for a VM
 * may be called otherwise and promised more when somebody reads it.
 */
export function signEvidence(catalog: Catalog, seal: EvidenceSeal, drillId: string, proof: ProofRecord): void {
  if (catalog.evidence.ofDrill(drillId) !== undefined) return
  const key = seal.key()
  catalog.evidence.useKey(key)
  const signedMs = Date.now()
  const document = documentOf(catalog, seal, catalog.drills.get(drillId), proof, signedMs)
  catalog.evidence.keep({ drillId, signedMs, ...sealEvidence(document, key) })
}

function documentOf(
  catalog: Catalog,
  { version }: EvidenceSeal,
  drill: DrillView,
  proof: ProofRecord,
  signedMs: number,
): DrillEvidence {
  const { uuid, name: installation } = catalog.installation.get()
  const vm = catalog.vms.find(drill.vmId)
  const point = catalog.points.find(drill.pointId)
  const repository = catalog.repositories.find(drill.repositoryId)
  const { requestedBy = null, hypervisor = null, asked = [], outputs = [] } = proof
  return {
    kind: 'holdfast/drill-evidence',
    v: 1,
    installation: { id: uuid, name: installation },
    software: { name: 'holdfast', version },
    drill: { id: drill.id, requestedBy, workflowId: drill.workflowId, runId: drill.runId },
    vm: {
      id: drill.vmId,
      name: drill.vmName,
      category: vm?.category ?? null,
      scope: vm?.scope ?? null,
      externalId: vm?.externalId ?? null,
    },
    point: {
      id: drill.pointId,
      stem: proof.stem,
      taken: moment(point?.createdMs),
      validated: moment(point?.validatedMs),
      mode: point?.mode ?? null,
      consistency: point?.consistency ?? null,
    },
    repository: { id: drill.repositoryId, name: repository?.name ?? null, uuid: repository?.uuid ?? null },
    hypervisor,
    disks: disksOf(proof, point?.disks ?? []),
    ...(drill.bootedFrom === 'repository' && { bootedFrom: drill.bootedFrom }),
    verdict: drill.verdict,
    why: drill.why,
    checks: drill.checks.map(({ title, passed, detail, exit, count, out, err }, at) => ({
      ...{ title, passed, detail, exit, count, out, err },
      asked: questionOf(asked[at]),
      outSha256: outputs[at]?.out ?? null,
      errSha256: outputs[at]?.err ?? null,
    })),
    started: iso(drill.startedMs),
    ended: iso(drill.endedMs),
    restoreSeconds: drill.restoreSeconds,
    bootSeconds: drill.bootSeconds,
    rtoSeconds: drill.rtoSeconds,
    rtoTargetSeconds: drill.rtoMs === null ? null : drill.rtoMs / 1000,
    screenshot: drill.screenshot === null ? null : { sha256: drill.screenshot },
    residue: proof.result.residue.map(({ kind, id }) => ({ kind, id })),
    signed: iso(signedMs),
  }
}

/** What the restore has read; else what the catalog knows of the point. */
function disksOf(
  { disks = [] }: ProofRecord,
  known: readonly { readonly disk: string; readonly label: string; readonly size: number }[],
): EvidenceDisk[] {
  if (disks.length === 0) return known.map(({ disk, label, size }) => ({ disk, label, bytes: size, imageRoot: null }))
  return disks.map(({ key, label, size, imageRoot = null }) => ({ disk: key, label, bytes: size, imageRoot }))
}

function questionOf(check: DrillCheck | undefined): DrillEvidence['checks'][number]['asked'] {
  if (check === undefined) return null
  const { path, args, expectExit, pattern = null, count, prepares = false } = check
  return { path, args, expectExit, pattern, count, prepares }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function moment(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : iso(ms)
}
