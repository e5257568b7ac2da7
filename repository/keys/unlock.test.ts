import { beforeAll, describe, expect, test } from 'vitest'
import { canonicalJson, keySlotKind, type JsonObject, type KeySetContent } from '../format/index.ts'
import { argon2id } from './argon2.ts'
import { createKeys, type NewKeys } from './create.ts'
import { sha256 } from './derive.ts'
import { inspectKeys, requireComplete } from './inspect.ts'
import { encodeSet } from './sets.ts'
import { slotKeyOf, type DerivePassphrase } from './secrets.ts'
import { encodeSlot, type KeyObject } from './slots.ts'
import { unlock } from './unlock.ts'

const repo = '0a'.repeat(16)
const domain = 'd0'.repeat(16)
const argon2 = { m: 19_456, t: 1, p: 1 }
/** In this process: what the child computes is tested in child.test.ts. */
const derive: DerivePassphrase = async (passphrase, cost) => argon2id(passphrase, cost)
const passphrase = { kind: 'passphrase', passphrase: 'correct horse' } as const

let made: NewKeys
beforeAll(async () => {
  made = await createKeys({ repo, domain, passphrase: passphrase.passphrase, ms: 1, argon2, derive })
})
const recovery = () => ({ kind: 'recovery', text: made.recoveryText }) as const
const slotOf = (type: string) => find((raw) => raw['type'] === type)
const sets = () => made.objects.filter((object) => object.name.includes('-set-'))
function find(matches: (raw: JsonObject) => boolean): KeyObject {
  const found = made.objects.find((object) => matches(JSON.parse(Buffer.from(object.bytes).toString()) as JsonObject))
  if (found === undefined) throw new Error('no such object')
  return found
}
const flipped = (object: KeyObject, at = object.bytes.length - 10): KeyObject => {
  const bytes = Buffer.from(object.bytes)
  // A digit for another one: the object stays canonical JSON.
  bytes.writeUInt8(bytes.readUInt8(at) === 0x61 ? 0x62 : 0x61, at)
  return { name: object.name, bytes }
}
const wrappedDigit = (object: KeyObject) => Buffer.from(object.bytes).indexOf('"wrapped":"') + 20

test('both secrets open the same keys', async () => {
  const one = await unlock(made.objects, repo, passphrase, derive)
  const two = await unlock(made.objects, repo, recovery(), derive)
  expect(one.ring.content).toEqual(made.content)
  expect(two.ring.content).toEqual(made.content)
  expect(one).toMatchObject({ role: 'full', kekGen: 1, conflict: [], slot: slotOf('passphrase').name })
})

test('every key and number is drawn anew and differs', async () => {
  const other = await createKeys({ repo, domain, passphrase: 'x', ms: 1, argon2, derive })
  const all = [...made.content.keys, ...other.content.keys]
  expect(new Set(all.map((entry) => entry.key)).size).toBe(10)
  expect(new Set(made.content.keys.map((entry) => entry.no)).size).toBe(5)
  expect(all.every((entry) => entry.no > 0 && /^[0-9a-f]{64}$/.test(entry.key))).toBe(true)
})

describe('which failure is which', () => {
  test('a wrong passphrase is a wrong secret', async () => {
    await expect(
      unlock(made.objects, repo, { ...passphrase, passphrase: 'correct  horse' }, derive),
    ).rejects.toMatchObject({
      code: 'WrongSecret',
    })
  })

  test('a passphrase is not trimmed', async () => {
    await expect(
      unlock(made.objects, repo, { ...passphrase, passphrase: 'correct horse ' }, derive),
    ).rejects.toMatchObject({
      code: 'WrongSecret',
    })
  })

  test('a recovery key of another repository is a wrong secret', async () => {
    const other = await createKeys({ repo, domain, passphrase: 'x', ms: 1, argon2, derive })
    const secret = { kind: 'recovery', text: other.recoveryText } as const
    await expect(unlock(made.objects, repo, secret, derive)).rejects.toMatchObject({ code: 'WrongSecret' })
  })

  test('a slot with a flipped digit in its wrapped key is damaged, whatever the secret', async () => {
    const slot = slotOf('passphrase')
    const objects = [flipped(slot, wrappedDigit(slot)), ...sets()]
    expect(inspectKeys(objects, repo).damaged.map((item) => item.name)).toEqual([slot.name])
    await expect(unlock(objects, repo, passphrase, derive)).rejects.toMatchObject({
      code: 'KeysDamaged',
      data: { damaged: [slot.name] },
    })
    await expect(unlock(objects, repo, { ...passphrase, passphrase: 'wrong' }, derive)).rejects.toMatchObject({
      code: 'KeysDamaged',
    })
  })

  test('a slot whose salt is damaged is not reported as a wrong passphrase', async () => {
    const slot = slotOf('passphrase')
    const objects = [flipped(slot, Buffer.from(slot.bytes).indexOf('"salt":"') + 9), ...sets()]
    await expect(unlock(objects, repo, passphrase, derive)).rejects.toMatchObject({ code: 'KeysDamaged' })
  })

  test('a damaged passphrase slot beside a sound recovery slot is said, and the recovery key opens', async () => {
    const slot = slotOf('passphrase')
    const objects = [flipped(slot, wrappedDigit(slot)), slotOf('recovery'), ...sets()]
    await expect(unlock(objects, repo, passphrase, derive)).rejects.toMatchObject({ code: 'KeysDamaged' })
    expect((await unlock(objects, repo, recovery(), derive)).inventory.damaged).toHaveLength(1)
  })

  test('a slot that is damaged only in its free text is tried all the same, and its AEAD decides', async () => {
    const slot = slotOf('recovery')
    const objects = [flipped(slot, Buffer.from(slot.bytes).indexOf('recovery key')), ...sets()]
    await expect(unlock(objects, repo, recovery(), derive)).rejects.toMatchObject({ code: 'KeysDamaged' })
  })

  test('one damaged key set is said, and the other one opens', async () => {
    const [first, second] = sets()
    if (first === undefined || second === undefined) throw new Error('two sets expected')
    const objects = [slotOf('recovery'), flipped(first, wrappedDigit(first)), second]
    const unlocked = await unlock(objects, repo, recovery(), derive)
    expect(unlocked.ring.content).toEqual(made.content)
    expect(unlocked.inventory.damaged.map((item) => item.name)).toEqual([first.name])
  })

  test('all key sets damaged is damage, not a wrong secret', async () => {
    const objects = [slotOf('recovery'), ...sets().map((set) => flipped(set, wrappedDigit(set)))]
    await expect(unlock(objects, repo, recovery(), derive)).rejects.toMatchObject({ code: 'KeysDamaged' })
  })

  test('no slot of the kind at all is said so', async () => {
    await expect(unlock(sets(), repo, passphrase, derive)).rejects.toMatchObject({
      code: 'WrongSecret',
      message: expect.stringContaining('no slot for a passphrase') as string,
    })
  })

  test('a slot of a newer version is unsupported, not wrong and not damaged', async () => {
    const raw = keySlotKind.parse(slotOf('recovery').bytes)
    const bytes = canonicalJson({ ...raw, v: 2 })
    const name = `keys/00000001-slot-${sha256(bytes).toString('hex', 0, 8)}`
    await expect(unlock([{ name, bytes }, ...sets()], repo, recovery(), derive)).rejects.toMatchObject({
      code: 'FormatUnsupported',
    })
  })
})

test('key objects that a lost race of inits left behind are ignored', async () => {
  const lost = await createKeys({
    repo: '0b'.repeat(16),
    domain,
    passphrase: passphrase.passphrase,
    ms: 1,
    argon2,
    derive,
  })
  const objects = [...lost.objects, ...made.objects]
  expect((await unlock(objects, repo, passphrase, derive)).ring.content).toEqual(made.content)
  await expect(unlock(lost.objects, repo, passphrase, derive)).rejects.toMatchObject({ code: 'WrongSecret' })
})

describe('the rule of two', () => {
  const complete = (objects: readonly KeyObject[]) => () => {
    requireComplete(inspectKeys(objects, repo))
  }
  test('a fresh repository keeps it', () => {
    expect(complete(made.objects)).not.toThrow()
  })
  test('any object missing or damaged breaks it', () => {
    for (const object of made.objects) {
      const rest = made.objects.filter((item) => item !== object)
      expect(complete(rest)).toThrow(expect.objectContaining({ code: 'KeysIncomplete' }))
      expect(complete([...rest, flipped(object, wrappedDigit(object))])).toThrow('needed before it takes backups')
    }
  })
  test('two passphrases do not replace the recovery key', async () => {
    const kdf = { alg: 'argon2id' as const, ...argon2, salt: '00'.repeat(16) }
    const label = { repo, kekGen: 1, role: 'full', label: 'second', ms: 1, kdf }
    const second = encodeSlot('passphrase', label, await slotKeyOf(passphrase, kdf, derive), Buffer.alloc(32))
    expect(complete([slotOf('passphrase'), second, ...sets()])).toThrow('0 for recovery')
  })
})

describe('several key sets', () => {
  const kek = Buffer.alloc(32, 3)
  const put = async (...contents: readonly KeySetContent[]) => {
    const key = await slotKeyOf(recovery(), undefined)
    const slot = encodeSlot('recovery', { repo, kekGen: 2, role: 'full', label: '', ms: 1 }, key, kek)
    return [slot, ...contents.map((content, i) => encodeSet({ kekGen: 2, ms: i }, content, kek))]
  }
  const extra = { no: 77, type: 'DEK' as const, domain, createdMs: 2, key: '77'.repeat(32) }
  const next = (changes: Partial<KeySetContent> = {}): KeySetContent => ({
    ...made.content,
    rev: 2,
    keys: [...made.content.keys, extra],
    current: { ...made.content.current, DEK: { [domain]: 77 } },
    ...changes,
  })

  test('the keys are united, and current is that of the highest rev', async () => {
    const { ring, conflict } = await unlock(await put(made.content, next()), repo, recovery(), derive)
    expect(ring.current('DEK').no).toBe(77)
    expect(ring.content.keys).toHaveLength(6)
    expect(conflict).toEqual([])
  })

  test('the newest generation is opened first, and an older one if that has no set yet', async () => {
    const newer = await put(next())
    expect((await unlock([...made.objects, ...newer], repo, recovery(), derive)).kekGen).toBe(2)
    const unfinished = newer.filter((object) => object.name.includes('-slot-'))
    expect((await unlock([...made.objects, ...unfinished], repo, recovery(), derive)).kekGen).toBe(1)
  })

  test('two different sets of one rev open for reading and are a conflict', async () => {
    const objects = await put(next(), next({ keys: made.content.keys, current: made.content.current }))
    const { conflict, ring } = await unlock(objects, repo, recovery(), derive)
    expect([...conflict].sort()).toEqual(
      objects
        .slice(1)
        .map((object) => object.name)
        .sort(),
    )
    const [greater] = [...conflict].sort().reverse()
    expect(ring.current('DEK').no).toBe(greater === objects[1]?.name ? 77 : made.content.current.DEK[domain])
    expect(ring.key('DEK', 77)).toHaveLength(32)
  })

  test('two different keys with one number are an error', async () => {
    const clash = next({ rev: 3, keys: [...made.content.keys, { ...extra, key: '88'.repeat(32) }] })
    await expect(unlock(await put(next(), clash), repo, recovery(), derive)).rejects.toMatchObject({
      code: 'KeysDamaged',
    })
  })

  test('a set of another repository inside a sound wrapper is refused', async () => {
    const key = await slotKeyOf(recovery(), undefined)
    const slot = encodeSlot('recovery', { repo, kekGen: 2, role: 'full', label: '', ms: 1 }, key, kek)
    const foreign = encodeSet({ kekGen: 2, ms: 1 }, { ...made.content, repo: '0c'.repeat(16) }, kek)
    await expect(unlock([slot, foreign], repo, recovery(), derive)).rejects.toThrow('no key set opens')
  })
})
