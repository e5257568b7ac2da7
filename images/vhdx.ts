/** Names of regions ([MS-VHDX] 2.2.3.2) and of metadata (2.6.2). */
export const regions = {
  bat: '2DC27766-F623-4200-9D64-115E9BFD4A08',
  metadata: '8B7CA206-4790-4B9A-B8FE-575F050F886E',
} as const
export const metadata = {
  fileParameters: 'CAA16737-FA36-4D43-B3B6-33F0AA44E76B',
  diskSize: '2FA54224-CD1B-4876-B211-5DBED83BF4B8',
  diskId: 'BECA12AB-B2E6-4523-93EF-C309E000C746',
  logicalSector: '8141BF1D-A96F-4709-BA47-F233A8FAAB5F',
  physicalSector: 'CDA348C7-445D-4471-9CC9-E9885251C556',
} as const

/** The 16 bytes of a GUID: its first three groups little-endian ([MS-DTYP] 2.3.4.2). */
export function guid(text: string): Buffer {
  const plain = Buffer.from(text.replaceAll('-', ''), 'hex')
  plain.subarray(0, 4).reverse()
  plain.subarray(4, 6).reverse()
  plain.subarray(6, 8).reverse()
  return plain
}
