import { stripVTControlCharacters, styleText } from 'node:util'

export type Tone = 'ok' | 'running' | 'attention' | 'failed' | 'idle' | 'plain'
type Format = Parameters<typeof styleText>[0]

const formats: { readonly [tone in Tone]: Format } = {
  ok: 'green',
  running: 'cyan',
  attention: 'yellow',
  failed: ['bold', 'red'],
  idle: 'dim',
  plain: 'reset',
}

/** State is a word and a sign; colour only repeats it. */
export interface Style {
  tone(tone: Tone, text: string): string
  bold(text: string): string
  dim(text: string): string
}

export function styleOf(hasColor: boolean): Style {
  const paint = (format: Format, text: string): string =>
    hasColor ? styleText(format, text, { validateStream: false }) : text
  return {
    tone: (tone, text) => (tone === 'plain' ? text : paint(formats[tone], text)),
    bold: (text) => paint('bold', text),
    dim: (text) => paint('dim', text),
  }
}

/** Names come from hypervisors: a control character in one must not steer the terminal. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/[\p{Cc}\p{Cf}]/gu, '�')
}
