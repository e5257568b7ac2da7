/**
 * Evidence of drills: the document, its signature, the files that leave the house, and how anybody verifies them without
 * this installation. Pure but for node's cryptography; keys and documents are kept by others.
 */
export { decodeBundle, encodeBundle } from './bundle.ts'
export { drawPrivateKey, evidenceKey, signingKey } from './keys.ts'
export { evidencePage } from './page.ts'
export { sealEvidence } from './seal.ts'
export { verifyBundle, verifyFile } from './verify.ts'
export type { EvidenceReport } from './verify.ts'
export type * from './types.ts'
