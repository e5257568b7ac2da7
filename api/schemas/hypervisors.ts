import { z } from '@hono/zod-openapi'
import {
  orNull,
  displayName,
  findingSchema,
  hypervisorId,
  pageOf,
  platformSchema,
  repositoryId,
  site,
  supportedPlatformSchema,
  timeMs,
} from './common.ts'
import { runErrorSchema } from './runs.ts'

export const statusWord = z.enum(['verified', 'simulator-verified', 'spec-verified', 'unverified'])

/** The last probe or discovery of an endpoint, as a worker of its site saw it. */
export const probeSchema = z
  .object({
    state: z.enum(['ok', 'attention', 'failed']),
    testedMs: timeMs,
    version: z.string().nullable(),
    identity: z.string().nullable(),
    evidence: statusWord.nullable().openapi({ description: 'How well this driver is tested' }),
    capabilities: z.record(z.string(), z.unknown()).nullable(),
    findings: z.array(findingSchema),
    error: orNull(runErrorSchema),
  })
  .openapi('Probe')

export const hypervisorSchema = z
  .object({
    id: hypervisorId,
    name: z.string(),
    platform: platformSchema,
    address: z.string(),
    site,
    credentialRef: z.string().openapi({ description: 'Where workers find the secret; never the secret' }),
    identity: z.string().nullable().openapi({ description: 'Pinned certificate or host key' }),
    options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    createdMs: timeMs,
    discoveredMs: timeMs.nullable(),
    vms: z.number().int().nonnegative(),
    probe: orNull(probeSchema),
  })
  .openapi('Hypervisor')

export const hypervisorPageSchema = pageOf(hypervisorSchema, 'HypervisorPage')

export const addHypervisorBody = z
  .object({
    name: displayName,
    platform: supportedPlatformSchema,
    address: z
      .string()
      .min(1)
      .max(1000)
      .openapi({ description: 'Host, URL, or for qemu and image a directory on the worker' }),
    site: site.default('local'),
    credentialRef: z
      .string()
      .max(1000)
      .regex(/^(|file:\/.+)$/, 'file:/path on the worker, or empty where none is needed')
      .default(''),
    options: z.record(z.string().max(64), z.union([z.string().max(1000), z.number(), z.boolean()])).default({}),
  })
  .openapi('AddHypervisor')

/** An image that lies in the folder of an endpoint of the platform image. */
export const looseImageSchema = z
  .object({
    file: z.string().openapi({ description: 'Its name in the folder' }),
    format: z.enum(['raw', 'qcow2', 'vmdk', 'vhdx', 'vhd']).nullable(),
    bytes: z.number().int().nonnegative().openapi({ description: 'Of the file; of a raw one the disk' }),
    vm: z.string().nullable().openapi({ description: 'Whose disk it is already' }),
    problem: z.string().nullable().openapi({ description: 'Why it cannot be imported as it is; null: it can' }),
  })
  .openapi('LooseImage')
export const looseImagesSchema = z.object({ items: z.array(looseImageSchema) }).openapi('LooseImages')

export const importImagesBody = z
  .object({
    vm: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}$/, 'letters, digits, space, dot, hyphen and underscore')
      .openapi({ description: 'Name of the VM; the same name with the same images makes its next point' }),
    files: z
      .array(z.string().min(1).max(255))
      .min(1)
      .max(64)
      .openapi({ description: 'Names in the folder, one for each disk, the one that it boots from first' }),
    repositoryId: repositoryId.optional(),
    name: displayName.nullable().default(null).openapi({ description: 'Name of the point' }),
    reason: z.string().max(1000).default(''),
  })
  .openapi('ImportImages')

/** What a discovery found; the VMs themselves are in `/vms`. */
export const discoverySchema = z
  .object({
    probe: probeSchema,
    found: z.number().int(),
    added: z.number().int(),
    changed: z.number().int(),
    gone: z.number().int(),
  })
  .openapi('Discovery')
