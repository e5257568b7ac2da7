import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { HoldfastError } from '../../../base/index.ts'
import { dialUnix } from '../../qmp/index.ts'

/**
 * For tests only (rulings 17): called while the VM is stopped inside the switch, so that an oracle can start its own
 * copy of the same instant. One JSON line there, one line `ok` back.
 */
export async function switchHook(call: {
  readonly vm: string
  readonly pointId: string
  readonly disks: readonly { readonly key: string; readonly node: string }[]
}): Promise<void> {
  const path = process.env['HOLDFAST_TEST_SWITCH_HOOK']
  if (path === undefined || path === '') return
  const socket = await dialUnix(path, 'the switch hook', AbortSignal.timeout(5_000))
  try {
    socket.write(`${JSON.stringify(call)}\n`)
    const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(30_000) })) as [Buffer]
    if (answer.toString().trim() !== 'ok')
      throw new HoldfastError('Internal', `the switch hook said ${JSON.stringify(answer.toString())}`)
  } finally {
    socket.destroy()
  }
}

/** Only while somebody listens: rounds before and after an oracle's life are undisturbed, and can be measured. */
export function hasSwitchHook(): boolean {
  return existsSync(process.env['HOLDFAST_TEST_SWITCH_HOOK'] ?? '')
}
