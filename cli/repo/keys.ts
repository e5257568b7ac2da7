import { HoldfastError, locationText } from '../../base/index.ts'
import type {
  DataKeyInfo,
  KeyAdmin,
  KeyListing,
  NewSlot,
  ShredPlan,
  SlotInfo,
  UnlockSecret,
} from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { table } from '../render/table.ts'
import { at } from '../render/words.ts'
import { placeOf, type PlaceOptions } from './place.ts'
import { fileText, readPassphrase, readSecret } from './secret.ts'

/** Opens the administration of keys with the secret of the options; the KEK is wiped when `use` is done. */
export async function withKeys<T>(
  io: Io,
  dir: string | undefined,
  options: PlaceOptions,
  use: (admin: KeyAdmin, place: string, repo: string) => Promise<T>,
): Promise<T> {
  const location = await placeOf(io, dir, options)
  const { listRepositoryKeys, openKeyAdmin } = await import('../../repository/index.ts')
  const { repo } = await listRepositoryKeys(location)
  const secret = await readSecret(io, options)
  using admin = await openKeyAdmin({ location, secret })
  return await use(admin, locationText(location), repo)
}

export interface NewSlotOptions {
  readonly label?: string
  readonly newPassphraseFile?: string
  /** `2/3` */
  readonly shares?: string
  readonly recipientFile?: string
}

/** `2/3`: two of three. */
export function sharesOf(text: string): { readonly threshold: number; readonly shares: number } {
  const [, threshold, shares] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? []
  if (threshold === undefined || shares === undefined) {
    throw new HoldfastError('InvalidRequest', `not a number of shares: ${text}`, { hint: 'Two of three are 2/3.' })
  }
  return { threshold: Number(threshold), shares: Number(shares) }
}

/** The slot that the options ask for; a new passphrase is asked for twice. */
export async function newSlotOf(io: Io, type: string, options: NewSlotOptions): Promise<NewSlot> {
  const label = options.label ?? type
  switch (type) {
    case 'passphrase': {
      const { newPassphraseFile } = options
      const from = newPassphraseFile === undefined ? {} : { passphraseFile: newPassphraseFile }
      return { type, label, passphrase: await readPassphrase(io, from, true, 'New passphrase: ') }
    }
    case 'recovery':
      return { type, label }
    case 'shares':
      return { type: 'shamir', label, ...sharesOf(options.shares ?? '') }
    default:
      if (options.recipientFile === undefined) {
        throw new HoldfastError('InvalidRequest', 'whose escrow?', {
          hint: 'Give the public key of the holder (HFP1-…) with --recipient-file; `holdfast repo key new-escrow` makes a pair.',
        })
      }
      return { type: 'hpke', label, recipient: fileText(options.recipientFile) }
  }
}

/** Secrets besides the first whose slots go on. */
export function keptSecrets(options: {
  readonly keepPassphraseFile?: readonly string[]
  readonly keepRecoveryKeyFile?: readonly string[]
}): UnlockSecret[] {
  const { keepPassphraseFile = [], keepRecoveryKeyFile = [] } = options
  return [
    ...keepPassphraseFile.map((file): UnlockSecret => ({ kind: 'passphrase', passphrase: fileText(file) })),
    ...keepRecoveryKeyFile.map((file): UnlockSecret => ({ kind: 'recovery', text: fileText(file) })),
  ]
}

export function listingText(listing: KeyListing, keys: readonly DataKeyInfo[] | undefined): string {
  const { slots, sets, damaged, unsupported, isComplete, kekGen } = listing
  const lines = [
    slotTable(slots),
    '',
    `key sets: ${sets.map(({ name, rev, sound }) => `${name.slice(-16)} (revision ${rev}${sound ? '' : ', damaged'})`).join(', ')}`,
    ...damaged.map(({ name, why }) => `damaged: ${name}: ${plain(why)}`),
    ...unsupported.map((name) => `of a newer version: ${name}`),
  ]
  if (slots.some(({ isCurrent }) => !isCurrent)) {
    lines.push(
      `Slots of other generations than ${kekGen} are of a rotation that was interrupted: \`holdfast repo key repair\`.`,
    )
  }
  if (!isComplete) {
    lines.push(
      'Not complete: two sound slots, one of them for recovery, and two sound key sets are needed for backups.',
    )
  }
  if (keys !== undefined) lines.push('', keyTable(keys))
  return lines.join('\n')
}

export function slotTable(slots: readonly SlotInfo[]): string {
  return table(slots, [
    { head: 'SLOT', cell: ({ id }) => id },
    { head: 'TYPE', cell: (slot) => typeWord(slot) },
    { head: 'LABEL', cell: ({ label }) => plain(label) },
    { head: 'MADE', cell: ({ createdMs }) => at(createdMs) },
    { head: 'GENERATION', cell: ({ kekGen }) => String(kekGen), right: true },
    { head: '', cell: ({ sound }) => (sound ? '' : 'damaged') },
  ])
}

function typeWord({ type, threshold, shares }: SlotInfo): string {
  if (type === 'shamir') return `shares ${threshold}/${shares}`
  return type === 'hpke' ? 'escrow' : plain(type)
}

export function keyTable(keys: readonly DataKeyInfo[]): string {
  return table(keys, [
    { head: 'KEY', cell: ({ no }) => String(no), right: true },
    { head: 'TYPE', cell: ({ type }) => type },
    { head: 'DOMAIN', cell: ({ domain }) => domain ?? '' },
    { head: 'MADE', cell: ({ createdMs }) => at(createdMs) },
    { head: '', cell: ({ isCurrent }) => (isCurrent ? 'current' : '') },
  ])
}

/** What revoking cannot do is said where it is done (repository format §5.6). */
export const revocationText = [
  'Revoked secrets open nothing from now on. What somebody took before cannot be taken back: whoever opened the',
  'repository had its data keys, and with a copy of the old objects in keys/ (a backup or an old version of the store)',
  'a revoked secret still opens that copy. `holdfast repo key rotate --data` gives what is written from now on new keys.',
].join('\n')

export function shredText(plan: ShredPlan): string {
  const { domain, keys, isWritten, blockedBy, isVersioned, done } = plan
  const lines = done
    ? [
        `The ${keys.length} data keys of domain ${domain} are destroyed: its data can never be read again with this repository.`,
      ]
    : [
        `This would destroy the ${keys.length} data keys of domain ${domain}, for ever: none of its disks and configurations could be read again.`,
      ]
  lines.push(...lossLines(plan))
  if (isWritten) lines.push('It is the domain that backups are written to: the repository takes no more of them.')
  if (blockedBy.length > 0)
    lines.push(`Not possible now: ${blockedBy.join(', ')} cannot be opened and may hold the keys.`)
  if (isVersioned)
    lines.push('The store keeps old versions of deleted objects: the keys are in those of keys/ until they are purged.')
  lines.push(
    'Copies of keys/ elsewhere (mirrors, backups of the store) still hold the keys, and so does who opened the repository',
    'before: destroy the copies, or the secrets that open them.',
  )
  if (!done) lines.push('', `To do it: the same command with --confirm ${domain}`)
  return lines.join('\n')
}

function lossLines({ losses, unreadable, done }: ShredPlan): string[] {
  const points = losses.reduce((sum, loss) => sum + loss.points, 0)
  const lines = [
    points === 0
      ? 'No recovery point depends on them.'
      : `${many(points, 'recovery point')} of ${many(losses.length, 'VM')} ${done ? 'are' : 'would be'} lost:`,
    ...losses.map(({ vm, series, points: lost, oldestMs, newestMs }) => {
      const [from, to] = [oldestMs, newestMs].map((ms) => new Date(ms).toISOString().slice(0, 16).replace('T', ' '))
      return `  ${plain(vm)} (series ${series}): ${many(lost, 'point')}, ${from} to ${to}`
    }),
  ]
  if (unreadable.length > 0)
    lines.push(`${many(unreadable.length, 'point')} cannot be read, and may be of this domain as well.`)
  return lines
}

const many = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
