import { expect, it } from 'vitest'
import { day } from './estate.ts'
import { playYear } from './play.ts'

/** Six weeks in which both zones change their clocks; `npm run year` plays the whole of it. */
const weeks = { beginMs: Date.UTC(2026, 1, 24), days: 40 }

it(
  'keeps exactly what the policy promises, and tells each deviation and its end once',
  { timeout: 900_000 },
  async () => {
    const { problems, figures } = await playYear({ seed: 1, vms: 4, paceMs: day, ...weeks })
    expect(problems).toEqual([])
    // Of each there was enough to be wrong about.
    for (const name of ['made', 'copied', 'removed', 'asked', 'missed', 'skipped', 'failed', 'alerts', 'recoveries'])
      expect([name, (figures[name] ?? 0) > 1]).toEqual([name, true])
    expect(figures['clock changes']).toBeGreaterThan(1)
  },
)
