import { mkdirSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/index.ts'
import type { Deliver, PrintedSecret } from '../../repository/index.ts'
import type { Io } from '../io.ts'
import { plain } from '../render/style.ts'
import { at } from '../render/words.ts'

/** What a printed sheet says besides its secret. */
export interface SheetFacts {
  readonly repo: string
  readonly place: string
  readonly label: string
  readonly madeMs: number
}

/**
 * The sheet that lies in a safe: it must be enough for somebody who has never seen Holdfast, on the day on which it is gone.
 * Plain text, 80 columns, no character that a printer or a typist could mistake.
 */
export function recoveryKit(text: string, facts: SheetFacts): string {
  return [
    ...heading('HOLDFAST RECOVERY KIT', facts),
    'Recovery key (it has a check of its own: no mistyped character is accepted;',
    'blanks, dashes and small letters do not matter)',
    '',
    ...groups(text),
    '',
    'Whoever has this key and a copy of the repository reads every backup in it.',
    'Keep it away from the repository and from the passphrase. Without both, nobody',
    'can read the backups, the makers of Holdfast included.',
    '',
    'WITH HOLDFAST',
    '',
    '  Type the key into a file of your own, and then:',
    `  holdfast repo ls ${facts.place} --recovery-key-file FILE`,
    '  holdfast repo export POINT DISK disk.raw --repo PLACE --recovery-key-file FILE',
    '',
    ...withoutHoldfast('python3 rescue.py FOLDER list --secret-file FILE'),
    'DRILL, EVERY QUARTER',
    '',
    `  holdfast repo key drill ${facts.place} --recovery-key-file FILE`,
    '',
    '  date            who              date            who',
    ...Array.from({ length: 3 }, () => '  ______________  _______________  ______________  _______________'),
    '',
  ].join('\n')
}

/** One share of n; says nothing that would help without the others. */
export function shareSheet(
  text: string,
  facts: SheetFacts & { readonly number: number; readonly of: number; readonly threshold: number },
): string {
  const { number, of, threshold } = facts
  return [
    ...heading(`HOLDFAST KEY SHARE, SHEET ${number} OF ${of}`, facts),
    `Any ${threshold} of these ${of} sheets open the repository; fewer say nothing about its key.`,
    'Give each to another person, to be kept apart from the others.',
    '',
    ...groups(text),
    '',
    'WITH HOLDFAST',
    '',
    `  Type ${threshold} shares into one file, one in each line, and then:`,
    `  holdfast repo ls ${facts.place} --shares-file FILE`,
    '',
    ...withoutHoldfast(
      'python3 combine.py FOLDER --shares FILE > SECRET',
      'python3 rescue.py FOLDER list --secret-file SECRET',
    ),
  ].join('\n')
}

function heading(title: string, { repo, place, label, madeMs }: SheetFacts): string[] {
  return [
    title,
    '='.repeat(title.length),
    '',
    `  repository  ${repo}`,
    `  place       ${plain(place)}`,
    `  label       ${plain(label)}`,
    `  made        ${at(madeMs)}`,
    '',
  ]
}

/** Four groups in a line: what one can read aloud without losing the place. */
function groups(text: string): string[] {
  const all = text.split('-')
  return Array.from(
    { length: Math.ceil(all.length / 4) },
    (_, line) => `    ${all.slice(line * 4, line * 4 + 4).join('-')}`,
  )
}

function withoutHoldfast(...commands: readonly string[]): string[] {
  return [
    'WITHOUT HOLDFAST',
    '',
    '  The folder rescue/ of Holdfast (keep a copy with this sheet) reads a copied',
    '  repository with Python alone; its README.md says how:',
    ...commands.map((command) => `  ${command}`),
    '  The format itself is described in docs/repository-format.md.',
    '',
  ]
}

/** Writes a new file that is the owner's alone, durable before it is relied on. Throws InvalidRequest if it exists. */
export async function writeSheet(path: string, text: string): Promise<void> {
  try {
    await using file = await open(path, 'wx', 0o600)
    await file.writeFile(text)
    await file.sync()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new HoldfastError('InvalidRequest', `${path} exists; a sheet never replaces another one`, { cause: error })
  }
}

/**
 * Hands drawn secrets over before their slots exist: into new files with `out` (a folder for shares), else to the terminal.
 */
export function deliverTo(io: Io, out: string | undefined, facts: Omit<SheetFacts, 'label' | 'madeMs'>): Deliver {
  if (out === undefined && io.json) {
    throw new HoldfastError('InvalidRequest', 'where is the drawn secret to go?', { hint: 'Give --out with --json.' })
  }
  return async (printed) => {
    const sheets = sheetsOf(printed, { ...facts, label: printed.label, madeMs: io.world.now() })
    if (out === undefined) {
      for (const { text } of sheets) io.world.stdout.write(`${text}\n`)
      return
    }
    if (printed.type === 'shamir') mkdirSync(out, { recursive: true, mode: 0o700 })
    for (const { name, text } of sheets) await writeSheet(printed.type === 'shamir' ? join(out, name) : out, text)
  }
}

function sheetsOf({ type, texts, threshold = 0 }: PrintedSecret, facts: SheetFacts): { name: string; text: string }[] {
  return texts.map((text, index) => {
    if (type === 'recovery') return { name: 'kit.txt', text: recoveryKit(text, facts) }
    const number = index + 1
    const name = `share-${number}-of-${texts.length}.txt`
    return { name, text: shareSheet(text, { ...facts, number, of: texts.length, threshold }) }
  })
}
