import { beforeEach, describe, expect, test } from 'vitest'
import { encodeKeySetContent, type KeySetContent } from '../format/index.ts'
import { encodeSet, inspectKeys, requireComplete } from '../keys/index.ts'
import { keyObjects } from '../objects.ts'
import type { UnlockSecret } from '../types.ts'
import { KeyAccess } from './access.ts'
import { listKeys } from './listing.ts'
import { argon2, collect, derive, domain, KeyLab, noSignal, nothing, passphrase, repo } from './testing.ts'
import type { PrintedSecret } from './types.ts'

let lab: KeyLab
beforeEach(async () => void (lab = await KeyLab.create()))

const flip = (name: string): void => {
  const bytes = Buffer.from(lab.bucket.body(name))
  const at = bytes.indexOf('"wrapped":"') + 20
  bytes.writeUInt8(bytes.readUInt8(at) === 0x61 ? 0x62 : 0x61, at)
  lab.bucket.set(name, bytes)
}
const idOf = async (type: string): Promise<string> => {
  const slot = (await listKeys(lab.bucket.connect(), repo)).slots.find((item) => item.type === type)
  return slot?.id ?? ''
}

describe('slots', () => {
  test('every type opens the same keys, and says without its secret what it is', async () => {
    const { content } = (await lab.unlock(lab.first)).ring
    await lab.addPassphrase('second')
    const escrow = await lab.addEscrow()
    const { texts } = await lab.addShares(2, 3)
    const secrets: UnlockSecret[] = [
      lab.recovery,
      passphrase('second'),
      escrow.secret,
      { kind: 'shares', texts: texts.slice(1) },
      { kind: 'shares', texts },
    ]
    for (const secret of secrets) {
      expect((await lab.unlock(secret)).ring.content).toEqual(content)
      using admin = lab.admin(secret)
      expect(await admin.drill()).toHaveLength(1)
    }
    const { slots, isComplete } = await listKeys(lab.bucket.connect(), repo)
    expect(isComplete).toBe(true)
    expect(slots.map(({ type, label, threshold, shares }) => ({ type, label, threshold, shares }))).toEqual(
      expect.arrayContaining([
        { type: 'passphrase', label: 'second' },
        { type: 'shamir', label: 'board', threshold: 2, shares: 3 },
        { type: 'hpke', label: 'notary' },
      ]) as unknown[],
    )
    // What is stored tells nobody a secret.
    const stored = lab.bucket.names('keys/').map((name) => Buffer.from(lab.bucket.body(name)).toString())
    for (const text of texts) expect(stored.some((body) => body.includes(text))).toBe(false)
  })

  test('too few shares, shares of another key and a mistyped one are wrong secrets', async () => {
    const { texts } = await lab.addShares(2, 3)
    const other = await lab.addShares(2, 2)
    const [one = '', two = ''] = texts
    const wrong = [
      [one],
      [one, one],
      [one, `${two.slice(0, -1)}${two.endsWith('A') ? 'B' : 'A'}`],
      [one, other.texts[0] ?? ''],
    ]
    for (const mixed of wrong) {
      await expect(lab.unlock({ kind: 'shares', texts: mixed })).rejects.toMatchObject({ code: 'WrongSecret' })
    }
    await expect(lab.unlock({ kind: 'shares', texts: [] })).rejects.toMatchObject({ code: 'WrongSecret' })
  })

  test('an escrow key of somebody else is a wrong secret, a damaged escrow slot is damage', async () => {
    const { id, secret } = await lab.addEscrow()
    const other = await (await KeyLab.create()).addEscrow()
    await expect(lab.unlock(other.secret)).rejects.toMatchObject({ code: 'WrongSecret' })
    flip(lab.names('slot').find((name) => name.endsWith(id)) ?? '')
    await expect(lab.unlock(secret)).rejects.toMatchObject({ code: 'KeysDamaged' })
  })

  test('a drawn secret is handed over before its slot exists; if nobody takes it there is no slot', async () => {
    using admin = lab.admin()
    const before = lab.names('slot')
    const refuse = async () => {
      expect(lab.names('slot')).toEqual(before)
      throw new Error('printer on fire')
    }
    await expect(admin.addSlot({ type: 'recovery', label: '' }, refuse, noSignal)).rejects.toThrow('printer on fire')
    expect(lab.names('slot')).toEqual(before)
    const delivered: PrintedSecret[] = []
    await admin.addSlot({ type: 'recovery', label: 'safe' }, collect(delivered), noSignal)
    expect(await lab.opens({ kind: 'recovery', text: delivered[0]?.texts[0] ?? '' })).toBe(true)
  })

  test('two slots, one of them for recovery, always stay', async () => {
    using admin = lab.admin()
    const recovery = await idOf('recovery')
    await expect(admin.removeSlot(recovery, noSignal)).rejects.toMatchObject({ code: 'KeysIncomplete' })
    await expect(admin.removeSlot(await idOf('passphrase'), noSignal)).rejects.toMatchObject({ code: 'KeysIncomplete' })
    await lab.addPassphrase('second')
    await expect(admin.removeSlot(recovery, noSignal)).rejects.toMatchObject({ code: 'KeysIncomplete' })
    const { secret } = await lab.addEscrow()
    await admin.removeSlot(recovery, noSignal)
    expect(await lab.opens(lab.recovery)).toBe(false)
    expect(await lab.opens(secret)).toBe(true)
    requireComplete(inspectKeys(await keyObjects(lab.bucket.connect()), repo))
  })

  test('a damaged slot does not count, and can be removed; a sound key set cannot', async () => {
    await lab.addPassphrase('second')
    using admin = lab.admin()
    const name = lab.names('slot').find((item) => Buffer.from(lab.bucket.body(item)).includes('"second"')) ?? ''
    const [set = ''] = lab.names('set')
    flip(name)
    await expect(admin.removeSlot(await idOf('recovery'), noSignal)).rejects.toMatchObject({ code: 'KeysIncomplete' })
    await admin.removeSlot(name.slice(-16, -8), noSignal)
    expect(lab.bucket.names(name)).toEqual([])
    await expect(admin.removeSlot(set, noSignal)).rejects.toMatchObject({ code: 'InvalidRequest' })
    await expect(admin.removeSlot('ffffffffffff', noSignal)).rejects.toMatchObject({ code: 'NotFound' })
  })

  test('a slot that comes back differently is no slot', async () => {
    const store = lab.bucket.connect()
    const get = store.get.bind(store)
    store.get = async (name, max, signal) => {
      const bytes = await get(name, max, signal)
      if (Buffer.from(bytes).includes('"third"')) bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1
      return bytes
    }
    using admin = lab.admin(lab.first, store)
    const wish = { type: 'passphrase', passphrase: 'x', label: 'third', argon2 } as const
    await expect(admin.addSlot(wish, nothing, noSignal)).rejects.toMatchObject({ code: 'StoreUnfit' })
  })
})

describe('rotation of the key-encryption key', () => {
  test('kept secrets go on, revoked ones end, escrow needs no secret, and no data key changes', async () => {
    await lab.addPassphrase('leaver')
    const escrow = await lab.addEscrow()
    const { id: shares, texts } = await lab.addShares(2, 3)
    const { content } = (await lab.unlock(lab.first)).ring
    const leaver = (await listKeys(lab.bucket.connect(), repo)).slots.find(({ label }) => label === 'leaver')?.id ?? ''
    using admin = lab.admin()
    const wish = { keep: [lab.recovery], revoke: [leaver, shares.slice(0, 8)] }
    const done = await admin.rotateKek(wish, nothing, noSignal)
    expect(done).toMatchObject({ kekGen: 2, left: [], revoked: [{}, {}] })
    for (const secret of [lab.first, lab.recovery, escrow.secret]) {
      const { ring, kekGen } = await lab.unlock(secret)
      expect(kekGen).toBe(2)
      expect(ring.content).toEqual({ ...content, rev: 2 })
    }
    expect(await lab.opens(passphrase('leaver'))).toBe(false)
    expect(await lab.opens({ kind: 'shares', texts })).toBe(false)
    expect([lab.names('slot').length, lab.names('set').length]).toEqual([3, 2])
  })

  test('a slot that nobody carries or revokes is named, and nothing is changed', async () => {
    using admin = lab.admin()
    const before = lab.bucket.names()
    const id = await idOf('recovery')
    await expect(admin.rotateKek({}, nothing, noSignal)).rejects.toThrow(id)
    await expect(admin.rotateKek({ revoke: [id] }, nothing, noSignal)).rejects.toMatchObject({ code: 'KeysIncomplete' })
    await expect(admin.rotateKek({ keep: [passphrase('x')] }, nothing, noSignal)).rejects.toMatchObject({
      code: 'WrongSecret',
    })
    await expect(admin.rotateKek({ revoke: ['ffffff'] }, nothing, noSignal)).rejects.toMatchObject({ code: 'NotFound' })
    expect(lab.bucket.names()).toEqual(before)
  })

  test('new secrets are drawn for new slots and handed over first', async () => {
    using admin = lab.admin()
    const delivered: PrintedSecret[] = []
    const add = [
      { type: 'recovery', label: 'new' },
      { type: 'shamir', threshold: 3, shares: 5, label: 'board' },
    ] as const
    const revoke = [await idOf('recovery')]
    await admin.rotateKek({ revoke, add }, collect(delivered), noSignal)
    expect(delivered.map(({ type, kekGen }) => [type, kekGen])).toEqual([
      ['recovery', 2],
      ['shamir', 2],
    ])
    expect(await lab.opens({ kind: 'recovery', text: delivered[0]?.texts[0] ?? '' })).toBe(true)
    expect(await lab.opens({ kind: 'shares', texts: delivered[1]?.texts.slice(0, 3) ?? [] })).toBe(true)
    expect(await lab.opens(lab.recovery)).toBe(false)
  })

  test('shares alone cannot rotate: whatever happens, somebody must be able to end it', async () => {
    const { id, texts } = await lab.addShares(2, 2)
    using admin = lab.admin({ kind: 'shares', texts })
    const others = [await idOf('passphrase'), await idOf('recovery')]
    const wish = {
      revoke: [id, ...others],
      add: [{ type: 'recovery', label: '' } as const, { type: 'recovery', label: '' } as const],
    }
    await expect(admin.rotateKek(wish, nothing, noSignal)).rejects.toThrow('no secret that is at hand')
    await admin.rotateKek({ revoke: [id], keep: [lab.first, lab.recovery] }, nothing, noSignal)
    expect(await lab.opens(lab.first)).toBe(true)
  })

  test('a revoked secret reads what is left of an interrupted rotation, and must not write or change keys', async () => {
    await lab.addPassphrase('leaver')
    const old = lab.clone()
    using admin = lab.admin()
    const slots = (await listKeys(lab.bucket.connect(), repo)).slots
    await admin.rotateKek(
      { keep: [lab.recovery], revoke: [slots.find(({ label }) => label === 'leaver')?.id ?? ''] },
      nothing,
      noSignal,
    )
    for (const name of old.bucket.names()) lab.bucket.set(name, old.bucket.body(name))
    expect((await lab.unlock(passphrase('leaver'))).superseded).toBe(2)
    expect((await lab.unlock(lab.first)).superseded).toBeUndefined()
    using revoked = lab.admin(passphrase('leaver'))
    await expect(revoked.rotateKeys(['DEK'], noSignal)).rejects.toMatchObject({ code: 'KeysSuperseded' })
    // Whoever holds a kept secret ends it.
    using again = lab.admin()
    expect(await again.repair(noSignal)).toEqual([])
    expect(await lab.opens(passphrase('leaver'))).toBe(false)
    expect([lab.names('slot').length, lab.names('set').length]).toEqual([2, 2])
  })

  test('a set that cannot be opened is left where it is, and said', async () => {
    const [name = ''] = lab.names('set')
    flip(name)
    using admin = lab.admin()
    const { left } = await admin.rotateKek({ keep: [lab.recovery] }, nothing, noSignal)
    expect(left).toContain(name)
    expect(lab.bucket.names(name)).toEqual([name])
    // Its slots stay with it: somebody may open it one day.
    expect(lab.names('slot')).toHaveLength(4)
    await admin.removeSlot(name.slice(-16), noSignal)
    expect(await admin.repair(noSignal)).toEqual([])
    expect([lab.names('slot').length, lab.names('set').length]).toEqual([2, 2])
  })
})

describe('rotation of data keys', () => {
  test('a new key of each type becomes current, and every old one stays', async () => {
    const before = (await lab.unlock(lab.first)).ring
    using admin = lab.admin()
    const drawn = await admin.rotateKeys(['DEK', 'MDK', 'MK', 'SIG'], noSignal)
    const { ring } = await lab.unlock(lab.recovery)
    for (const type of ['DEK', 'MDK', 'MK', 'SIG'] as const) {
      const [key] = drawn.filter((item) => item.type === type)
      expect(key).toMatchObject({ isCurrent: true, no: ring.current(type).no })
      expect(ring.current(type).no).not.toBe(before.current(type).no)
    }
    expect(ring.current('IDK')).toEqual(before.current('IDK'))
    for (const { no, type, key } of before.content.keys) expect(ring.key(type, no).toString('hex')).toBe(key)
    expect([...ring.signers]).toEqual(expect.arrayContaining([...before.signers]) as string[])
    expect(ring.content.rev).toBe(2)
    expect(lab.names('set')).toHaveLength(2)
  })

  test('two administrators at once are united by a third, and nothing is lost', async () => {
    using access = new KeyAccess(lab.bucket.connect(), repo, lab.first, { derive })
    const { kek, content } = await access.read()
    const draw = (no: number): KeySetContent => ({
      ...content,
      rev: 2,
      keys: [...content.keys, { no, type: 'MDK', createdMs: 2, key: no.toString(16).repeat(64).slice(0, 64) }],
      current: { ...content.current, MDK: no },
    })
    for (const no of [7, 8]) {
      encodeKeySetContent(draw(no))
      const { name, bytes } = encodeSet({ kekGen: 1, ms: no }, draw(no), kek)
      lab.bucket.set(name, bytes)
    }
    expect((await lab.unlock(lab.first)).conflict).toHaveLength(2)
    using admin = lab.admin()
    expect(await admin.repair(noSignal)).toEqual([])
    const { ring, conflict } = await lab.unlock(lab.recovery)
    expect(conflict).toEqual([])
    expect([7, 8]).toContain(ring.current('MDK').no)
    for (const no of [7, 8]) expect(ring.key('MDK', no)).toHaveLength(32)
    expect(ring.content.rev).toBe(3)
    expect(lab.names('set')).toHaveLength(2)
  })
})

describe('crypto-shredding', () => {
  test('says what it would do, and does it only for the repeated name', async () => {
    using admin = lab.admin()
    const before = lab.bucket.names()
    const { ring } = await lab.unlock(lab.first)
    const plan = await admin.shred(domain, undefined, noSignal)
    expect(plan).toMatchObject({ domain, keys: [ring.current('DEK').no], isWritten: true, blockedBy: [], done: false })
    await expect(admin.shred(domain, 'yes', noSignal)).rejects.toMatchObject({ code: 'InvalidRequest' })
    await expect(admin.shred('ab'.repeat(16), undefined, noSignal)).rejects.toMatchObject({ code: 'NotFound' })
    expect(lab.bucket.names()).toEqual(before)
  })

  test('leaves the key in no object, whatever secret or older set is tried', async () => {
    using admin = lab.admin()
    await admin.rotateKeys(['DEK'], noSignal)
    const { ring } = await lab.unlock(lab.first)
    const gone = ring.content.keys.filter(({ type }) => type === 'DEK')
    expect(gone).toHaveLength(2)
    expect(await admin.shred(domain, domain, noSignal)).toMatchObject({ done: true })
    for (const secret of [lab.first, lab.recovery]) {
      const after = (await lab.unlock(secret)).ring
      for (const { no } of gone)
        expect(() => after.key('DEK', no)).toThrow(expect.objectContaining({ code: 'KeyUnknown' }))
      // Identities and everything that is no guest data still open.
      expect(after.identity(domain)).toBeDefined()
      expect(after.current('MDK').no).toBe(ring.current('MDK').no)
      expect(() => after.current('DEK')).toThrow(expect.objectContaining({ code: 'DomainShredded' }))
    }
    expect(lab.names('set')).toHaveLength(2)
  })

  test('does nothing while a set that may hold the key cannot be opened', async () => {
    const [name = ''] = lab.names('set')
    flip(name)
    using admin = lab.admin()
    await expect(admin.shred(domain, domain, noSignal)).rejects.toMatchObject({ code: 'KeysDamaged' })
    expect((await lab.unlock(lab.first)).ring.current('DEK').key).toHaveLength(32)
  })
})
