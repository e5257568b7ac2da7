import { expect, test } from 'vitest'
import { previewOf } from './preview.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

test('text is shown as text, also where its last character is cut off', () => {
  expect(previewOf(bytes('Größe\n\tx\r\n'), 12)).toMatchObject({ kind: 'text', text: 'Größe\n\tx\r\n', isCut: false })
  expect(previewOf(bytes('Grö').subarray(0, 3), 100)).toEqual({ kind: 'text', text: 'Gr', isCut: true })
  expect(previewOf(new Uint8Array(), 0)).toEqual({ kind: 'text', text: '', isCut: false })
})

test('what is no text, or would mislead a reader, is shown as bytes', () => {
  expect(previewOf(new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2]), 5)).toEqual({
    kind: 'bytes',
    text: `0000  7f 45 4c 46 02${' '.repeat(33)}  .ELF.`,
  })
  expect(previewOf(bytes('a\u202eb'), 5).kind).toBe('bytes')
  expect(previewOf(bytes('Grö').subarray(0, 3), 3).kind).toBe('bytes')
  expect(previewOf(new Uint8Array(1_000), 1_000).text.split('\n')).toHaveLength(16)
})
