import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { jsonTargets, layouts, sealed, texts, unlockCovers } from './index.ts'

/** Names of what reads bytes or text that somebody else has written. */
const reads =
  /^(decode|parse|scan|open|from|unlock|inspect|trySlots|combine|read[A-Z]|escrowRecipient|slotOpener|checkSegment|checkZstdFrame)|Kind$/

/** Not entrances: what they are given has been read by one that is named here. */
const inner: { readonly [name: string]: string } = {
  isForRecovery: 'looks at a slot that was read',
  jsonKind: 'makes the kinds',
  checkPackKind: 'compares what was read',
  decodeEntries: 'decodeSessionContent',
  escrowParts: 'openSlot',
}

const rooms = ['format', 'keys'] as const
const exported = (
  await Promise.all(
    rooms.flatMap((room) =>
      readdirSync(new URL(`../${room}/`, import.meta.url))
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && file !== 'index.ts')
        // A program, and what only tests use.
        .filter((file) => !['argon2-child.ts', 'arbitraries.ts'].includes(file))
        .map(async (file) =>
          Object.keys((await import(/* @vite-ignore */ new URL(`../${room}/${file}`, import.meta.url).href)) as object),
        ),
    ),
  )
).flat()

test('every decoder of format/ and keys/ is tried with hostile bytes', () => {
  const covered = new Set(
    [...layouts, ...texts, ...sealed, ...jsonTargets].flatMap(({ covers }) => covers).concat(unlockCovers),
  )
  const decoders = exported.filter((name) => reads.test(name) && !(name in inner))
  expect(decoders.filter((name) => !covered.has(name))).toEqual([])
  expect(decoders.length).toBeGreaterThan(50)
  // And nothing is named that is not there.
  expect([...covered].filter((name) => !exported.includes(name))).toEqual([])
})
