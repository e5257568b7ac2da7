/** Whatever is added, removed and rotated, in whatever order: exactly the secrets that should open the repository do. */
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { isHoldfastError } from '../../base/index.ts'
import type { UnlockSecret } from '../types.ts'
import { argon2, collect, KeyLab, noSignal, nothing, passphrase } from './testing.ts'
import type { PrintedSecret } from './types.ts'

let base: KeyLab
beforeAll(async () => void (base = await KeyLab.create()))

interface Held {
  readonly id: string
  readonly secret: UnlockSecret
  readonly isForRecovery: boolean
}

const step = fc.oneof(
  fc.record({ does: fc.constantFrom('add passphrase', 'add recovery', 'add shares', 'add escrow'), n: fc.nat() }),
  fc.record({ does: fc.constant('remove'), n: fc.nat() }),
  fc.record({ does: fc.constant('rotate kek'), n: fc.nat() }),
  fc.record({ does: fc.constantFrom('rotate data', 'repair'), n: fc.nat() }),
)

test('exactly the secrets that should open do, and two of them always', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 7 }), async (steps) => {
      const lab = base.clone()
      const idOf = (type: string) =>
        lab
          .names('slot')
          .find((name) => Buffer.from(lab.bucket.body(name)).includes(`"${type}"`))
          ?.slice(-16) ?? ''
      let held: Held[] = [
        { id: idOf('passphrase'), secret: lab.first, isForRecovery: false },
        { id: idOf('recovery'), secret: lab.recovery, isForRecovery: true },
      ]
      const gone: UnlockSecret[] = []
      // Shares make the key itself: removing their slot ends them only if no other shares of that key have one.
      let removedShares: UnlockSecret[] = []
      const isEnough = (rest: readonly Held[]) => rest.length >= 2 && rest.some(({ isForRecovery }) => isForRecovery)
      for (const { does, n } of steps) {
        // Whoever is there administers; shares and escrow as well.
        using admin = lab.admin(held[n % held.length]?.secret)
        if (does === 'add passphrase') {
          const text = `p${gone.length + held.length} ${n}`
          const { id } = await admin.addSlot(
            { type: 'passphrase', passphrase: text, label: '', argon2 },
            nothing,
            noSignal,
          )
          held.push({ id, secret: passphrase(text), isForRecovery: false })
        } else if (does === 'add recovery') {
          const printed: PrintedSecret[] = []
          const { id } = await admin.addSlot({ type: 'recovery', label: '' }, collect(printed), noSignal)
          held.push({ id, secret: { kind: 'recovery', text: printed[0]?.texts[0] ?? '' }, isForRecovery: true })
        } else if (does === 'add shares') {
          const { id, texts } = await lab.addShares(2, 3, held[0]?.secret)
          held.push({ id, secret: { kind: 'shares', texts: texts.slice(n % 2) }, isForRecovery: true })
        } else if (does === 'add escrow') {
          held.push({ ...(await lab.addEscrow(held[0]?.secret)), isForRecovery: true })
        } else if (does === 'remove') {
          const victim = held[(n >> 4) % held.length]
          const rest = held.filter((item) => item !== victim)
          const removal = admin.removeSlot(victim?.id ?? '', noSignal)
          if (isEnough(rest)) {
            await removal
            if (victim?.secret.kind === 'shares') removedShares.push(victim.secret)
            else if (victim !== undefined) gone.push(victim.secret)
            held = rest
          } else await expect(removal).rejects.toMatchObject({ code: 'KeysIncomplete' })
        } else if (does === 'rotate kek') {
          // Shares cannot go on; of the others each second bit of n revokes one.
          const opener = held[n % held.length]
          const stays = held.filter(
            (item, bit) => item.secret.kind !== 'shares' && (item === opener || ((n >> bit) & 1) === 0),
          )
          const revoked = held.filter((item) => !stays.includes(item))
          const keep = stays
            .filter((item) => item !== opener && item.secret.kind !== 'escrow')
            .map(({ secret }) => secret)
          const isKnown = stays.some(({ secret }) => secret.kind !== 'escrow') || opener?.secret.kind === 'escrow'
          const rotation = admin.rotateKek({ keep, revoke: revoked.map(({ id }) => id) }, nothing, noSignal)
          if (isEnough(stays) && isKnown) {
            const { slots } = await rotation
            gone.push(...revoked.map(({ secret }) => secret), ...removedShares)
            removedShares = []
            held = await Promise.all(
              stays.map(async (item) => {
                using probe = lab.admin(item.secret)
                const [opened] = await probe.drill()
                return { ...item, id: opened?.id ?? '' }
              }),
            )
            expect(slots.map(({ id }) => id).sort()).toEqual(held.map(({ id }) => id).sort())
          } else await expect(rotation).rejects.toSatisfy(isHoldfastError)
        } else if (does === 'rotate data') await admin.rotateKeys(['DEK'], noSignal)
        else await admin.repair(noSignal)
      }
      for (const { secret } of held) expect(await lab.opens(secret)).toBe(true)
      for (const secret of gone) expect(await lab.opens(secret)).toBe(false)
      const hasShares = held.some(({ secret }) => secret.kind === 'shares')
      for (const secret of removedShares) expect(await lab.opens(secret)).toBe(hasShares)
      expect(
        lab
          .names('slot')
          .map((name) => name.slice(-16))
          .sort(),
      ).toEqual(held.map(({ id }) => id).sort())
    }),
    { numRuns: 25 },
  )
})
