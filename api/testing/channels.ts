import type { NewChannel } from '../../catalog/index.ts'

/** Told of everything, at any time. */
export function aChannel(name: string): NewChannel {
  return {
    ...{ name, kind: 'webhook', url: 'https://hook.example/x', chat: null, mail: null, credentialRef: '' },
    ...{ allowPrivate: false, enabled: true },
    route: { severity: 'warning', tags: [], quiet: null, digestAt: null, timeZone: 'UTC' },
  }
}
