import fc from 'fast-check'
import { isHoldfastError } from '../../base/index.ts'
import { encodeKeySetContent } from '../format/index.ts'
import {
  encodeEscrowSlot,
  encodeSet,
  encodeSharesSlot,
  encodeSlot,
  slotKeyOf,
  unlock,
  type DerivePassphrase,
  type KeyObject,
} from '../keys/index.ts'
import { escrowRecipient } from '../keys/escrow.ts'
import { encodePrinted } from '../keys/printed.ts'
import type { UnlockSecret } from '../types.ts'
import { content, kek, ms, repo } from '../vectors/given.ts'

/** What opening a repository reaches, whatever lies in `keys/`. */
export const unlockCovers = [
  'unlock',
  'inspectKeys',
  'trySlots',
  'openSetsOf',
  'slotOpener',
  'combineShares',
  'escrowRecipient',
  'openSlot',
]

const derive: DerivePassphrase = async () => Buffer.alloc(32, 7)
const escrowKey = Buffer.alloc(32, 0x88)

/** One slot of each type and two sets, and the secrets that open them. */
async function scene(): Promise<{ readonly objects: readonly KeyObject[]; readonly secrets: readonly UnlockSecret[] }> {
  const label = { repo, kekGen: 1, role: 'full', label: '', ms }
  const kdf = { alg: 'argon2id' as const, m: 19_456, t: 1, p: 1, salt: '00'.repeat(16) }
  const passphrase = { kind: 'passphrase', passphrase: 'p' } as const
  const recovery = { kind: 'recovery', text: encodePrinted('recovery', Buffer.alloc(32, 1)) } as const
  const escrow = { kind: 'escrow', text: encodePrinted('escrowPrivate', escrowKey) } as const
  const { recipient } = await escrowRecipient(escrow.text)
  const shares = await encodeSharesSlot({ ...label, threshold: 2, shares: 2 }, kek)
  const objects = [
    encodeSlot('passphrase', { ...label, kdf }, await slotKeyOf(passphrase, kdf, derive), kek),
    encodeSlot('recovery', label, await slotKeyOf(recovery, undefined), kek),
    await encodeEscrowSlot(label, recipient, kek),
    shares.object,
    encodeSet({ kekGen: 1, ms }, content, kek),
    encodeSet({ kekGen: 1, ms }, content, kek),
  ]
  return { objects, secrets: [passphrase, recovery, escrow, { kind: 'shares', texts: shares.texts }] }
}

/** Objects of `keys/` altered, cut, swapped and put under other names: opened as they were, or refused. */
export async function unlockProperty(): Promise<fc.IAsyncProperty<unknown>> {
  const { objects, secrets } = await scene()
  const change = fc.record({
    at: fc.nat({ max: objects.length - 1 }),
    how: fc.constantFrom('flip', 'cut', 'swap', 'drop', 'rename'),
    n: fc.nat(),
  })
  return fc.asyncProperty(
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...secrets),
    async (changes, secret) => {
      const altered = objects.map(({ name, bytes }) => ({ name, bytes: Buffer.from(bytes) }))
      for (const { at, how, n } of changes) {
        const object = altered[at]
        const other = altered[n % altered.length]
        if (object === undefined || other === undefined || object.bytes.length === 0) continue
        const where = n % object.bytes.length
        if (how === 'flip') object.bytes.writeUInt8(object.bytes.readUInt8(where) ^ (1 << (n % 8)), where)
        else if (how === 'cut') object.bytes = object.bytes.subarray(0, where)
        else if (how === 'swap') [object.bytes, other.bytes] = [other.bytes, object.bytes]
        else if (how === 'drop') object.bytes = Buffer.alloc(0)
        else object.name = object.name.slice(0, -1) + (n % 16).toString(16)
      }
      try {
        const { ring } = await unlock(altered, repo, secret, derive)
        if (Buffer.compare(encodeKeySetContent(ring.content), encodeKeySetContent(content)) !== 0) {
          throw new Error('other keys were opened than were sealed')
        }
      } catch (error) {
        if (
          isHoldfastError(error) &&
          ['WrongSecret', 'KeysDamaged', 'FormatUnsupported', 'FormatError'].includes(error.code)
        )
          return
        throw error
      }
    },
  )
}
