import { createHash } from 'node:crypto'
import { describeError } from '../base/index.ts'
import { decodeBundle } from './bundle.ts'
import { readDocument } from './document.ts'
import { evidenceKey } from './keys.ts'
import { dataOfPage, evidencePage, layoutOfPage, pageLayout } from './page.ts'
import { isGenuine } from './seal.ts'
import type { DrillEvidence, EvidenceBundle, EvidenceKey } from './types.ts'

export interface EvidenceReport {
  /** Nothing is wrong: every problem that there is stands in `problems`. */
  readonly isGenuine: boolean
  readonly problems: readonly string[]
  readonly keyId: string
  /** What was signed; null: the signature is not right, so nobody has said it. */
  readonly document: DrillEvidence | null
  /** `none`: none was taken; `missing`: it is not here, only its hash is. */
  readonly picture: 'same' | 'none' | 'missing' | 'changed'
}

/** `trusted`: fingerprints of keys that are known from somewhere else than the evidence itself. */
export function verifyBundle(bundle: EvidenceBundle, trusted: readonly string[]): EvidenceReport {
  const { keyId, picture } = bundle
  const failed = (...problems: string[]): EvidenceReport => ({
    isGenuine: false,
    problems,
    keyId,
    document: null,
    picture: 'missing',
  })
  let key: EvidenceKey
  try {
    key = evidenceKey(bundle.publicKey)
  } catch (error) {
    return failed(describeError(error))
  }
  if (key.publicKey !== bundle.publicKey) return failed('the public key is not written as Holdfast writes it')
  if (key.id !== keyId) return failed(`the public key has the fingerprint ${key.id}, the signature names ${keyId}`)
  if (!isGenuine(bundle, key)) return failed('the signature does not fit: what was signed has been changed')
  const problems: string[] = []
  if (!trusted.includes(keyId))
    problems.push(`it is signed with the key ${keyId}, which is none of those that you trust`)
  let document: DrillEvidence
  try {
    document = readDocument(bundle.payload)
  } catch (error) {
    return failed(describeError(error))
  }
  const seen = pictureState(document, picture)
  if (seen === 'changed') problems.push('the picture is not the one that was signed')
  return { isGenuine: problems.length === 0, problems, keyId, document, picture: seen }
}

/** A file that was exported: JSON, or the page, which must show what was signed and nothing else. Throws FormatError. */
export function verifyFile(text: string, trusted: readonly string[]): EvidenceReport {
  const inPage = /^\s*</.test(text) ? dataOfPage(text) : undefined
  const bundle = decodeBundle(inPage ?? text)
  const report = verifyBundle(bundle, trusted)
  if (inPage === undefined || report.document === null || evidencePage(bundle) === text) return report
  const layout = layoutOfPage(text)
  const why =
    layout === pageLayout(report.document) || layout === undefined
      ? 'the page shows something else than what was signed'
      : `the page has the layout ${layout} and this version makes ${pageLayout(report.document)}, so what it shows was not compared; what was signed is below`
  return { ...report, isGenuine: false, problems: [...report.problems, why] }
}

function pictureState({ screenshot }: DrillEvidence, picture: Uint8Array | null): EvidenceReport['picture'] {
  if (screenshot === null) return picture === null ? 'none' : 'changed'
  if (picture === null) return 'missing'
  return createHash('sha256').update(picture).digest('hex') === screenshot.sha256 ? 'same' : 'changed'
}
