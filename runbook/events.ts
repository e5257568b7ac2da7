import type { RunHistory } from './types.ts'

/** An event with its attributes under one name, whatever its type. */
export interface Event {
  readonly id: number
  readonly ms: number
  /** Without the prefix `EVENT_TYPE_`. */
  readonly type: string
  readonly at: Fields
  readonly summary: string | null
}
export type Fields = { readonly [name: string]: unknown }

/** Reads a history tolerantly: what is not understood is left out, never thrown about. */
export function readEvents(history: RunHistory): readonly Event[] {
  const list: readonly unknown[] = Array.isArray(fieldsOf(history)['events'])
    ? (fieldsOf(history)['events'] as unknown[])
    : []
  return list.flatMap((raw) => {
    const event = fieldsOf(raw)
    const id = Number(event['eventId'])
    const type = textOf(event['eventType'])?.replace(/^EVENT_TYPE_/, '')
    if (!Number.isSafeInteger(id) || type === undefined) return []
    const attributes = Object.keys(event).find((name) => name.endsWith('EventAttributes'))
    const at = attributes === undefined ? {} : fieldsOf(event[attributes])
    const summary = decodePayload(fieldsOf(event['userMetadata'])['summary'])
    return [
      { id, ms: timeOf(event['eventTime']) ?? 0, type, at, summary: typeof summary === 'string' ? summary : null },
    ]
  })
}

export function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** 64-bit numbers come as text in protobuf JSON. */
export function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

/** Unix ms of an RFC 3339 time. */
export function timeOf(value: unknown): number | null {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isFinite(ms) ? ms : null
}

/** First value of `{payloads: […]}`; undefined if there is none or it is not JSON. */
export function firstPayload(payloads: unknown): unknown {
  return allPayloads(payloads)[0]
}

export function allPayloads(payloads: unknown): readonly unknown[] {
  const list = fieldsOf(payloads)['payloads']
  return Array.isArray(list) ? list.map(decodePayload) : []
}

/** `data` is base64 of JSON, where `metadata.encoding` says so; encrypted payloads stay closed. */
export function decodePayload(payload: unknown): unknown {
  const { data, metadata } = fieldsOf(payload)
  if (typeof data !== 'string') return undefined
  const encoding = fieldsOf(metadata)['encoding']
  if (typeof encoding === 'string' && decodeBase64(encoding) !== 'json/plain') return undefined
  const text = decodeBase64(data)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function decodeBase64(text: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0))
    return new TextDecoder().decode(bytes)
  } catch {
    return undefined
  }
}
