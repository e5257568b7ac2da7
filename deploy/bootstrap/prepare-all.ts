import { existsSync } from 'node:fs'
import { buildAppliance } from '../../appliance/index.ts'
import { formatDuration, isHoldfastError } from '../../base/index.ts'
import { filesGuest, saveState } from '../../files/index.ts'
import { buildGuest } from '../../lab/index.ts'
import { findTemporalCli, homeOf } from '../../server/index.ts'
import { buildDashboard } from './prepare-web.ts'

/** `prepare` for scripts that need it: an expected failure is told in words, and ends the process. */
export async function prepareOrExit(): Promise<void> {
  await orExit(prepare)
}

export async function orExit(work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isHoldfastError(error)) throw error
    console.error(`\n✗ ${error.message}\n  ${error.hint}`)
    process.exit(1)
  }
}

/** What demo and tests need beyond packages: the Temporal CLI, the two small guests and the dashboard. Seconds when warm. */
export async function prepare(): Promise<void> {
  await step('Temporal CLI', async (progress) => {
    if (process.env['TEMPORAL_ADDRESS']) return `the server at ${process.env['TEMPORAL_ADDRESS']} is used`
    const cli = await findTemporalCli({ env: process.env, cacheDir: homeOf().cache, onProgress: progress })
    for (const { way, reason } of cli.attempts) progress(`${way}: ${reason}`)
    // Children find it at once, without going through all the ways again.
    process.env['HOLDFAST_TEMPORAL_CLI'] = cli.path
    return `${cli.version} (${cli.way})`
  })
  await step('guest of the lab', async (progress) => {
    const guest = await buildGuest({ progress })
    return existsSync(guest.kernel) ? 'ready' : 'incomplete'
  })
  await step('micro-VM for files', async (progress) => {
    const guest = await buildAppliance(filesGuest, { progress })
    await saveState(guest, AbortSignal.timeout(3 * 60_000))
    return existsSync(guest.kernel) ? 'ready' : 'incomplete'
  })
  await step('dashboard', async () => ((await buildDashboard()) ? 'built' : 'unchanged'))
}

export async function step(name: string, work: (progress: (text: string) => void) => Promise<string>): Promise<void> {
  const started = Date.now()
  const outcome = await work((text) => console.error(`· ${name}: ${text}`))
  console.error(`· ${name}: ${outcome}, ${formatDuration(Date.now() - started)}`)
}
