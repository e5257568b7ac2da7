import { signingKey } from './keys.ts'
import type { DrillEvidence, EvidenceSeal } from './types.ts'

/** Of the tests, and of nothing else: its private half is here for everybody to read. */
const pem = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIDzFYLIs4JWTXxJopr2FekTmSTliituTOw8FGcvayiQw
-----END PRIVATE KEY-----
`
export const testKey = signingKey(pem, 'the tests')
export const testSeal: EvidenceSeal = { version: '0.1.0-test', key: () => testKey }

export const sampleEvidence: DrillEvidence = {
  kind: 'holdfast/drill-evidence',
  v: 1,
  installation: { id: '0'.repeat(32), name: 'lab' },
  software: { name: 'holdfast', version: '0.1.0-test' },
  drill: {
    id: 'web-01.20261121t073352',
    requestedBy: { user: 'operator', reason: 'quarterly' },
    workflowId: 'drill/web-01/20261121t073352',
    runId: 'run-1',
  },
  vm: { id: 'web-01', name: 'web-01', category: 'standard', scope: 'scope-1', externalId: 'uuid-web-01' },
  point: {
    id: '1'.repeat(32),
    stem: `snap/${'2'.repeat(32)}/0000000000000000-${'1'.repeat(32)}`,
    taken: '2026-11-21T02:00:04.000Z',
    validated: '2026-11-21T02:03:00.000Z',
    mode: 'incremental',
    consistency: 'filesystem',
  },
  repository: { id: 'main', name: 'main', uuid: '3'.repeat(32) },
  hypervisor: { id: 'lab', platform: 'qemu' },
  disks: [{ disk: 'virtio0', label: 'system', bytes: 2 ** 31, imageRoot: '4'.repeat(64) }],
  verdict: 'passed',
  why: 'booted, 1 of 1 checks passed',
  checks: [
    {
      title: 'Orders <are> whole',
      asked: {
        path: '/usr/bin/check',
        args: ['--all'],
        expectExit: 0,
        pattern: null,
        count: null,
        prepares: false,
      },
      passed: true,
      detail: 'exit 0',
      exit: 0,
      count: null,
      out: '</script><script>alert(1)</script>',
      outSha256: '5'.repeat(64),
      err: '',
      errSha256: '6'.repeat(64),
    },
  ],
  started: '2026-11-21T06:30:00.000Z',
  ended: '2026-11-21T06:31:00.000Z',
  restoreSeconds: 20.5,
  bootSeconds: 11.25,
  rtoSeconds: 40,
  rtoTargetSeconds: 14400,
  screenshot: null,
  residue: [],
  signed: '2026-11-21T06:31:01.000Z',
}
