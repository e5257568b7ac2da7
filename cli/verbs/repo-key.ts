import { Command, Option } from 'commander'
import { HoldfastError } from '../../base/index.ts'
import type { RotatableKey } from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { deliverTo, recoveryKit, writeSheet } from '../repo/kit.ts'
import {
  keptSecrets,
  keyTable,
  listingText,
  newSlotOf,
  revocationText,
  sharesOf,
  shredText,
  slotTable,
  withKeys,
  type NewSlotOptions,
} from '../repo/keys.ts'
import { placeOf, type PlaceOptions } from '../repo/place.ts'
import { fileText } from '../repo/secret.ts'
import { examples, type Verb } from './common.ts'

const rotatable: readonly RotatableKey[] = ['DEK', 'MDK', 'MK', 'SIG']

interface RotateOptions extends PlaceOptions {
  readonly kek?: boolean
  readonly data?: string[] | true
  readonly keepPassphraseFile?: string[]
  readonly keepRecoveryKeyFile?: string[]
  readonly revoke?: string[]
  readonly newRecovery?: boolean
  readonly newShares?: string
  readonly out?: string
}

/** Who can open a repository, and with which keys it is written. Secrets are never arguments. */
export const repoKey: Verb = (ioOf) => {
  const command = new Command('key').description('who opens the repository: passphrases, recovery keys, shares, escrow')
  examples(command, [
    'holdfast repo key list /srv/backup',
    'holdfast repo key kit /srv/backup --out /media/usb/kit.txt',
    'holdfast repo key add /srv/backup --type passphrase --label ops --new-passphrase-file ops.pass',
    'holdfast repo key shares 2/3 /srv/backup --out /media/usb/shares',
    'holdfast repo key rotate /srv/backup --kek --revoke 6c1f09ab --keep-recovery-key-file kit.key',
  ])
  const place = (name: string, description: string): Command =>
    command
      .command(name)
      .description(description)
      .option('-r, --repo <place>', 'the repository, a directory or URL (also HOLDFAST_REPOSITORY)')
  const opening = (name: string, description: string): Command =>
    place(name, description)
      .option('--passphrase-file <file>', 'else it is asked for')
      .option('--recovery-key-file <file>', 'open it with the recovery key instead')
      .option('--shares-file <file>', 'or with shares of a key, one in each line')
      .option('--escrow-key-file <file>', 'or with the private key of an escrow holder')

  opening('list', 'slots and key sets, without any secret; never a key')
    .argument('[place]')
    .option('--keys', 'also the data keys by number and domain; needs a secret')
    .action(async (dir: string | undefined, options: PlaceOptions & { keys?: boolean }, self: Command) => {
      const io = ioOf(self)
      const { listRepositoryKeys } = await import('../../repository/index.ts')
      const listing = await listRepositoryKeys(await placeOf(io, dir, options))
      const keys = options.keys ? await withKeys(io, dir, options, (admin) => admin.dataKeys()) : undefined
      io.answer({ ...listing, ...(keys && { keys }) }, () => listingText(listing, keys))
    })

  opening('add', 'add a way to open the repository')
    .argument('[place]')
    .addOption(
      new Option('--type <type>').choices(['passphrase', 'recovery', 'shares', 'escrow']).makeOptionMandatory(),
    )
    .option('--label <text>', 'what people call it; default: the type')
    .option('--new-passphrase-file <file>', 'of the new slot; else it is asked for twice')
    .option('--shares <k/n>', 'so many of so many, such as 2/3')
    .option('--recipient-file <file>', 'public key of the escrow holder (HFP1-…)')
    .option('--out <path>', 'where a drawn secret goes: a new file, for shares a folder; else the terminal')
    .action(async (dir: string | undefined, options: AddOptions, self: Command) => add(ioOf(self), dir, options))

  opening('kit', 'print the recovery kit: a new recovery key, or with --recovery-key-file that key once more')
    .argument('[place]')
    .option('--label <text>', 'what people call it', 'recovery kit')
    .option('--out <file>', 'a new file; else the terminal')
    .action(async (dir: string | undefined, options: AddOptions, self: Command) => {
      const io = ioOf(self)
      const { recoveryKeyFile } = options
      if (recoveryKeyFile === undefined) return add(io, dir, { ...options, type: 'recovery' })
      await withKeys(io, dir, options, async (admin, at, repo) => {
        // It opens, or no kit is printed.
        const [slot] = await admin.drill()
        const { label = '', createdMs = 0 } = slot ?? {}
        const kit = recoveryKit(fileText(recoveryKeyFile), { repo, place: at, label, madeMs: createdMs })
        if (options.out === undefined) io.answer({ kit }, () => kit)
        else {
          await writeSheet(options.out, kit)
          io.answer({ file: options.out }, () => `The kit is in ${options.out}.`)
        }
      })
    })

  opening('shares', 'split a key into shares: any k of n open the repository')
    .argument('<k/n>', 'so many of so many, such as 2/3')
    .argument('[place]')
    .option('--label <text>', 'what people call it', 'shares')
    .option('--out <folder>', 'one file for each share; else the terminal')
    .action(async (shares: string, dir: string | undefined, options: AddOptions, self: Command) =>
      add(ioOf(self), dir, { ...options, type: 'shares', shares }),
    )

  opening('escrow', 'let the holder of a private key open the repository')
    .argument('[place]')
    .requiredOption('--recipient-file <file>', 'public key of the holder (HFP1-…)')
    .option('--label <text>', 'what people call it', 'escrow')
    .action(async (dir: string | undefined, options: AddOptions, self: Command) =>
      add(ioOf(self), dir, { ...options, type: 'escrow' }),
    )

  command
    .command('new-escrow')
    .description('for an escrow holder: make a key pair; the private key goes into a new file and nowhere else')
    .argument('<file>', 'a new file for the private key')
    .action(async (file: string, _options: object, self: Command) => {
      const io = ioOf(self)
      const { drawEscrowKeys } = await import('../../repository/index.ts')
      const { privateText, publicText } = await drawEscrowKeys()
      await writeSheet(file, `${privateText}\n`)
      io.answer({ publicKey: publicText, file }, () => publicText)
    })

  opening('drill', 'prove that a secret opens the repository; due every quarter for each')
    .argument('[place]')
    .action(async (dir: string | undefined, options: PlaceOptions, self: Command) => {
      const io = ioOf(self)
      const slots = await withKeys(io, dir, options, (admin) => admin.drill())
      io.answer({ slots }, () => `Opened with:\n${slotTable(slots)}`)
    })

  opening('remove', 'remove a slot, or a damaged key object; two slots always stay')
    .argument('<id>', 'as `key list` shows it; six digits at least')
    .argument('[place]')
    .action(async (id: string, dir: string | undefined, options: PlaceOptions, self: Command) => {
      const io = ioOf(self)
      const name = await withKeys(io, dir, options, (admin) => admin.removeSlot(id, io.world.signal))
      io.answer({ removed: name }, () => `${name} is gone.`)
      io.say(
        'Who knows its secret and kept a copy of it can still open the keys, and shares make the key itself: ' +
          '`holdfast repo key rotate --kek` ends that.',
      )
    })

  opening('rotate', 'new keys: --kek revokes secrets, --data gives new data new keys')
    .argument('[place]')
    .option('--kek', 'a new key-encryption key: every slot goes on with its secret, or is revoked')
    .option('--data [types...]', `new data keys: ${rotatable.join(', ')}; default: all`)
    .option('--keep-passphrase-file <file...>', 'further passphrases whose slots go on')
    .option('--keep-recovery-key-file <file...>', 'further recovery keys whose slots go on')
    .option('--revoke <id...>', 'slots that do not go on')
    .option('--new-recovery', 'with a new recovery key')
    .option('--new-shares <k/n>', 'with new shares of the new key')
    .option('--out <path>', 'where a drawn secret goes: a new file, for shares a folder; else the terminal')
    .action(async (dir: string | undefined, options: RotateOptions, self: Command) => rotate(ioOf(self), dir, options))

  opening('repair', 'end an interrupted rotation; unite what two administrators changed at once')
    .argument('[place]')
    .action(async (dir: string | undefined, options: PlaceOptions, self: Command) => {
      const io = ioOf(self)
      const left = await withKeys(io, dir, options, (admin) => admin.repair(io.world.signal))
      io.answer({ left }, () => ['The keys are in order.', ...leftLines(left)].join('\n'))
    })

  opening('shred', 'destroy the data keys of a domain: its data can never be read again; dry run without --confirm')
    .argument('<domain>', 'as `key list --keys` shows it')
    .argument('[place]')
    .option('--confirm <domain>', 'the domain once more: now it is done')
    .action(async (domain: string, dir: string | undefined, options: ShredOptions, self: Command) => {
      const io = ioOf(self)
      const plan = await withKeys(io, dir, options, (admin) => admin.shred(domain, options.confirm, io.world.signal))
      io.answer(plan, () => shredText(plan))
    })
  return command
}

interface AddOptions extends PlaceOptions, NewSlotOptions {
  readonly type: string
  readonly out?: string
}
interface ShredOptions extends PlaceOptions {
  readonly confirm?: string
}

async function add(io: Io, dir: string | undefined, options: AddOptions): Promise<void> {
  const slot = await withKeys(io, dir, options, async (admin, place, repo) => {
    const wish = await newSlotOf(io, options.type, options)
    const isDrawn = wish.type === 'recovery' || wish.type === 'shamir'
    const deliver = isDrawn ? deliverTo(io, options.out, { repo, place }) : async () => undefined
    return await admin.addSlot(wish, deliver, io.world.signal)
  })
  io.answer(
    { slot },
    () => `A slot was added, read back${slot.type === 'hpke' ? '' : ' and opened'}:\n${slotTable([slot])}`,
  )
  if (slot.type === 'hpke')
    io.say('Only its holder can open it: have it tried with `holdfast repo key drill --escrow-key-file`.')
}

async function rotate(io: Io, dir: string | undefined, options: RotateOptions): Promise<void> {
  const { kek = false, data } = options
  if (!kek && data === undefined) {
    throw new HoldfastError('InvalidRequest', 'which keys?', { hint: 'Give --kek, --data, or both.' })
  }
  if (options.newRecovery && options.newShares !== undefined && options.out !== undefined) {
    throw new HoldfastError('InvalidRequest', 'a kit and shares do not go to one place', {
      hint: 'Rotate with one of them, and add the other afterwards.',
    })
  }
  const types = data === true || data === undefined ? rotatable : data.map(keyTypeOf)
  await withKeys(io, dir, options, async (admin, place, repo) => {
    const { signal } = io.world
    const isDrawn = options.newRecovery === true || options.newShares !== undefined
    const deliver = isDrawn ? deliverTo(io, options.out, { repo, place }) : async () => undefined
    const add = [
      ...(options.newRecovery ? [{ type: 'recovery', label: 'recovery kit' } as const] : []),
      ...(options.newShares ? [{ type: 'shamir', label: 'shares', ...sharesOf(options.newShares) } as const] : []),
    ]
    const keep = keptSecrets(options)
    const wish = { keep, add, revoke: options.revoke ?? [] }
    const rotated = kek ? await admin.rotateKek(wish, deliver, signal) : undefined
    const keys = data === undefined ? [] : await admin.rotateKeys(types, signal)
    io.answer({ ...(rotated && { rotated }), keys }, () =>
      [
        ...(rotated ? [`Generation ${rotated.kekGen} of the keys:`, slotTable(rotated.slots)] : []),
        ...(rotated && rotated.revoked.length > 0 ? ['', 'Revoked:', slotTable(rotated.revoked)] : []),
        ...(rotated ? leftLines(rotated.left) : []),
        ...(keys.length > 0 ? ['New data is written with:', keyTable(keys)] : []),
      ].join('\n'),
    )
    if (rotated && rotated.revoked.length > 0) io.say(revocationText)
    if (keys.length > 0)
      io.say(
        'Workers that have the repository open write with the old keys until they open it again, which what is new makes them do.',
      )
  })
}

function keyTypeOf(text: string): RotatableKey {
  const type = rotatable.find((item) => item === text.toUpperCase())
  if (type !== undefined) return type
  throw new HoldfastError('InvalidRequest', `not a data key: ${text}`, { hint: `One of ${rotatable.join(', ')}.` })
}

function leftLines(left: readonly string[]): string[] {
  return left.length === 0 ? [] : [`Not opened, and therefore left where they are: ${left.join(', ')}`]
}
