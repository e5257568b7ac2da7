/** So much of a file is read to be shown. */
export const previewBytes = 32 * 1024
const hexBytes = 256

export type Preview =
  | { readonly kind: 'text'; readonly text: string; readonly isCut: boolean }
  | { readonly kind: 'bytes'; readonly text: string }

/** Controls that no text has, and what makes a line read backwards. */
const odd = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** The beginning of a file of `size` bytes: as text where it is UTF-8 without odd characters, else its first bytes. */
export function previewOf(bytes: Uint8Array, size: number): Preview {
  const isCut = bytes.length < size
  const text = decoded(bytes, isCut)
  if (text !== null && !odd.test(text.replaceAll(/[\t\r\n\ufeff]/g, ''))) return { kind: 'text', text, isCut }
  return { kind: 'bytes', text: hexLines(bytes.subarray(0, hexBytes)) }
}

/** Of what was cut the last character may lack its end. */
function decoded(bytes: Uint8Array, isCut: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut })
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

/** As `hexdump -C` writes it: the place, 16 bytes, and their characters. */
function hexLines(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)]
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const shown = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(4, '0')}  ${hex.padEnd(47)}  ${shown}`)
  }
  return lines.join('\n')
}
