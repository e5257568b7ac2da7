import type { z } from '@hono/zod-openapi'
import type { EndpointView, ProbeRecord } from '../../catalog/index.ts'
import type { hypervisorSchema, probeSchema } from '../schemas/hypervisors.ts'

export function probeView(probe: ProbeRecord): z.infer<typeof probeSchema> {
  const blocked = probe.findings.some((finding) => finding.severity !== 'info')
  return {
    state: probe.error ? 'failed' : blocked ? 'attention' : 'ok',
    testedMs: probe.testedMs,
    version: probe.version,
    identity: probe.identity,
    evidence: probe.evidence,
    capabilities: probe.capabilities && { ...probe.capabilities },
    findings: [...probe.findings],
    error: probe.error,
  }
}

export function hypervisorView(endpoint: EndpointView): z.infer<typeof hypervisorSchema> {
  return {
    id: endpoint.id,
    name: endpoint.name,
    platform: endpoint.platform,
    address: endpoint.address,
    site: endpoint.site,
    credentialRef: endpoint.credentialRef,
    identity: endpoint.identity,
    options: { ...endpoint.options },
    createdMs: endpoint.createdMs,
    discoveredMs: endpoint.discoveredMs,
    vms: endpoint.vms,
    probe: endpoint.probe && probeView(endpoint.probe),
  }
}
