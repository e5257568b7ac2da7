import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, isHoldfastError } from '../base/index.ts'
import type { Home } from './config.ts'
import { refusalCode, type ServerDoor } from './door.ts'
import { adoptInstallation, type InstallationIdentity } from './installation.ts'
import type { ProcessLog } from './log.ts'

interface Session {
  readonly role: string
  readonly site: string | null
  readonly installation: { readonly id: string; readonly name: string }
}

const againAfterMs = 5_000

/**
 * A worker with the token of a site asks the server whose it is: marks on hypervisors are of the installation, not of the
 * machine. Waits for a server that is away only where this home does not know the answer from before (`known`). Throws
 * Unauthorized, and ConfigInvalid where the token is of another site or the home of another installation.
 */
export async function introduce(
  door: ServerDoor,
  how: {
    readonly home: Home
    readonly site: string
    readonly known: InstallationIdentity | null
    readonly log: ProcessLog
    readonly signal: AbortSignal
    readonly everyMs?: number
  },
): Promise<InstallationIdentity> {
  const { home, site, known, log, signal, everyMs = againAfterMs } = how
  for (;;) {
    signal.throwIfAborted()
    try {
      // Guests may stand still until this worker serves their disks: who knows the answer does not wait for it long.
      const said = await sessionOf(
        door,
        AbortSignal.any([signal, AbortSignal.timeout(known === null ? 10_000 : 3_000)]),
      )
      if (said.site !== site) {
        const whose = said.site === null ? 'of no site' : `of site ${said.site}`
        throw new HoldfastError('ConfigInvalid', `the token is ${whose}, this worker of ${site}`, {
          hint: `Make one for it: \`holdfast site token ${site}\`.`,
        })
      }
      const identity = { uuid: said.installation.id, name: said.installation.name }
      adoptInstallation(home, identity)
      return identity
    } catch (error) {
      const isAway = isHoldfastError(error) && error.code === 'ServerUnreachable'
      if (!isAway || signal.aborted) throw error
      log.warn({ error: error.message }, 'the server cannot be asked yet')
      if (known !== null) return known
      await sleep(everyMs, undefined, { signal })
    }
  }
}

async function sessionOf(door: ServerDoor, signal: AbortSignal): Promise<Session> {
  const response = await door.ask('/api/v1/session', { signal })
  if (response.ok) return (await response.json()) as Session
  throw new HoldfastError(
    refusalCode(response.status),
    `the server does not take the token of this worker: ${response.status}`,
    {
      hint: 'Make a new one for the site: `holdfast site token NAME`.',
    },
  )
}
