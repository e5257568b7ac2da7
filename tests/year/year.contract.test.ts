import { expect, it } from 'vitest'
import { day } from './estate.ts'
import { playYear } from './play.ts'

it(
  'keeps exactly what the policy promises over a year, and tells each deviation and its end once',
  { timeout: 2_700_000 },
  async () => {
    const { problems, figures } = await playYear({ seed: 1, vms: 4, paceMs: day })
    expect(problems).toEqual([])
    // Of each there was enough to be wrong about.
    for (const name of ['made', 'copied', 'removed', 'asked', 'missed', 'skipped', 'failed', 'alerts', 'recoveries'])
      expect([name, (figures[name] ?? 0) > 1]).toEqual([name, true])
  },
)
