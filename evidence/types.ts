/** A moment as ISO 8601 in UTC: read by people and by programs of others, years later. */
type Moment = string

/** What was asked of the guest; null where the run did not say it. */
export interface EvidenceQuestion {
  readonly path: string
  readonly args: readonly string[]
  readonly expectExit: number
  readonly pattern: string | null
  readonly count: { readonly expected: number | null; readonly tolerance: number } | null
  readonly prepares: boolean
}

export interface EvidenceCheck {
  readonly title: string
  readonly asked: EvidenceQuestion | null
  readonly passed: boolean
  /** In words. */
  readonly detail: string
  readonly exit: number | null
  readonly count: number | null
  /** What was kept of the outputs; the SHA-256 (hex) is of all that the agent gave. */
  readonly out: string
  readonly outSha256: string | null
  readonly err: string
  readonly errSha256: string | null
}

export interface EvidenceDisk {
  readonly disk: string
  readonly label: string
  readonly bytes: number
  /** Root of the hash tree over the content of the image, as the manifest of the point says it (hex); null: not read. */
  readonly imageRoot: string | null
}

/**
 * What is signed of a drill: all that its verdict rests on, so that it can be judged without this installation. Members
 * are added, never changed in meaning; another meaning is another `v`.
 */
export interface DrillEvidence {
  readonly kind: 'holdfast/drill-evidence'
  readonly v: 1
  readonly installation: { readonly id: string; readonly name: string }
  readonly software: { readonly name: 'holdfast'; readonly version: string }
  readonly drill: {
    readonly id: string
    readonly requestedBy: { readonly user: string; readonly reason: string } | null
    /** By which the history of the run is found: every step, its worker and its attempts. */
    readonly workflowId: string
    readonly runId: string
  }
  readonly vm: {
    readonly id: string
    readonly name: string
    readonly category: string | null
    readonly scope: string | null
    readonly externalId: string | null
  }
  readonly point: {
    readonly id: string
    readonly stem: string
    readonly taken: Moment | null
    readonly validated: Moment | null
    readonly mode: string | null
    readonly consistency: string | null
  }
  readonly repository: { readonly id: string; readonly name: string | null; readonly uuid: string | null }
  /** Where it was booted. */
  readonly hypervisor: { readonly id: string; readonly platform: string } | null
  readonly disks: readonly EvidenceDisk[]
  /** Absent: from disks that were restored. */
  readonly bootedFrom?: 'repository'
  readonly verdict: 'passed' | 'failed' | 'inconclusive'
  readonly why: string
  readonly checks: readonly EvidenceCheck[]
  readonly started: Moment
  readonly ended: Moment
  readonly restoreSeconds: number
  readonly bootSeconds: number | null
  /** From the start of the restore to a guest whose checks passed; null: not reached. */
  readonly rtoSeconds: number | null
  /** What was promised to the VM when the drill ended; null: nothing. */
  readonly rtoTargetSeconds: number | null
  readonly screenshot: { readonly sha256: string } | null
  /** What the drill could not remove. */
  readonly residue: readonly { readonly kind: string; readonly id: string }[]
  readonly signed: Moment
}

/** As it is kept: `payload` is the exact text that was signed. */
export interface SignedEvidence {
  readonly payload: string
  /** Fingerprint of the key. */
  readonly keyId: string
  /** 64 bytes as base64. */
  readonly signature: string
}

/** `id`: SHA-256 (hex) of the public key as SubjectPublicKeyInfo in DER; `publicKey`: that as PEM. */
export interface EvidenceKey {
  readonly id: string
  readonly publicKey: string
}

/** A key that signs; the private half stays inside. */
export interface SigningKey extends EvidenceKey {
  readonly sign: (bytes: Uint8Array) => Uint8Array
}

/** What whoever writes evidence needs: the key of now, and what the software calls itself. */
export interface EvidenceSeal {
  readonly version: string
  readonly key: () => SigningKey
}

/** What an exported file holds. */
export interface EvidenceBundle extends SignedEvidence {
  readonly publicKey: string
  /** PNG; null: none was taken, or it is no longer there. */
  readonly picture: Uint8Array | null
}
