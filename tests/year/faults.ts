import type { Random } from '../simulation/random.ts'
import { day, hour, minute, type Estate } from './estate.ts'

/**
 * `server`: everything of the control plane is away. `engine`: only what starts and runs workflows. `worker`: nobody works
 * for a site. `slow`: storage of a site takes twenty times as long. `channel`: nothing reaches whom it is to be told.
 */
type FaultKind = 'server' | 'engine' | 'worker' | 'repository' | 'hypervisor' | 'slow' | 'channel'

export interface Fault {
  readonly kind: FaultKind
  /** Site, repository or hypervisor; '': there is only one. */
  readonly of: string
  readonly fromMs: number
  readonly untilMs: number
}

interface Habit {
  readonly kind: FaultKind
  readonly of: string
  readonly times: number
  readonly leastMs: number
  readonly mostMs: number
}

/** Every fault of the year, by its seed. The first days and the last weeks are quiet, so that all has begun, and ended well. */
export class Faults {
  readonly all: readonly Fault[]

  constructor(random: Random, estate: Estate, fromMs: number, untilMs: number) {
    this.all = habitsOf(estate)
      .flatMap((habit) => drawn(random, habit, fromMs, untilMs))
      .sort((a, b) => a.fromMs - b.fromMs)
  }

  /** The fault that goes on then. */
  at(kind: FaultKind, of: string, ms: number): Fault | undefined {
    return this.all.find((one) => one.kind === kind && one.of === of && one.fromMs <= ms && ms < one.untilMs)
  }

  /** Whether any of it falls into the time between. */
  touches(kind: FaultKind, of: string, fromMs: number, untilMs: number): boolean {
    return this.all.some((one) => one.kind === kind && one.of === of && one.fromMs < untilMs && fromMs < one.untilMs)
  }

  of(kind: FaultKind): readonly Fault[] {
    return this.all.filter((one) => one.kind === kind)
  }
}

function habitsOf({ sites, repositories, hypervisors }: Estate): Habit[] {
  return [
    { kind: 'server', of: '', times: 6, leastMs: hour, mostMs: 30 * hour },
    { kind: 'engine', of: '', times: 6, leastMs: 20 * minute, mostMs: 16 * hour },
    { kind: 'channel', of: '', times: 3, leastMs: hour, mostMs: 30 * hour },
    ...sites.flatMap((of): Habit[] => [
      { kind: 'worker', of, times: 4, leastMs: hour, mostMs: 20 * hour },
      { kind: 'slow', of, times: 2, leastMs: 12 * hour, mostMs: day },
    ]),
    ...repositories.flatMap((of): Habit[] => [
      // Passing: nobody is told.
      { kind: 'repository', of, times: 3, leastMs: 5 * minute, mostMs: 15 * minute },
      { kind: 'repository', of, times: 4, leastMs: hour, mostMs: 40 * hour },
    ]),
    ...hypervisors.map((of): Habit => ({ kind: 'hypervisor', of, times: 3, leastMs: hour, mostMs: 3 * day })),
  ]
}

/** Never two of one kind at the same place within three hours. */
function drawn(random: Random, { kind, of, times, leastMs, mostMs }: Habit, fromMs: number, untilMs: number): Fault[] {
  const stretch = (untilMs - fromMs) / times
  return Array.from({ length: times }, (_, n): Fault => {
    const lasts = Math.min(leastMs + random.next() * (mostMs - leastMs), stretch - 4 * hour)
    const begins = fromMs + n * stretch + random.next() * (stretch - lasts - 3 * hour)
    return { kind, of, fromMs: Math.round(begins), untilMs: Math.round(begins + lasts) }
  })
}
