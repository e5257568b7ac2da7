import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { outOfTurn } from './deploy/bootstrap/turns.ts'

const nowhere = ['**/node_modules/**', '.cache/**', 'web/{build,.svelte-kit}/**']

/** These measure how long a guest stands still; nothing else may run beside them. */
const alone = ['drivers/qemu/frozen.contract.test.ts', 'lab/freeze.contract.test.ts']
const aloneInChaos = ['tests/chaos/frozen.test.ts']

/** `npm test` draws a turn and says which; whoever calls a suite by name has them all. */
const later = outOfTurn(process.env['HOLDFAST_TURN'])

const cores = availableParallelism()

/** Minutes each: begun first, so that nothing long is left at the end. */
const long = [
  'filter.contract',
  'job.contract',
  'image/suite.contract',
  'image.contract',
  'lab.contract',
  'guest.contract',
  'model.contract',
  'layouts.contract',
  'drill-defects.test',
  's3.contract',
  'rescue.test',
  'web-screens',
  'journey.test',
  'chaos/kill.test',
  'chaos/replication',
  'chaos/instant',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = long.findIndex((name) => moduleId.includes(name))
      return at < 0 ? long.length : at
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

/** Real products, started by the test: seconds to minutes each, one file after the other. */
const realProducts = { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }

/** Three layers by name: unit beside the source, contract suites, and what spans folders (e2e, chaos). */
export default defineConfig({
  test: {
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['**/*.test.ts'],
          exclude: [...nowhere, 'tests/**', '**/*.contract.test.ts', '**/*.stores.test.ts'],
          // Loading modules anew for each file costs more than all tests together; no module keeps state of a test.
          isolate: false,
          maxWorkers: Math.max(2, cores),
          // A test that hangs is ended; how fast a busy machine is is nothing that a test judges.
          testTimeout: 30_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          ...realProducts,
          name: 'contract',
          include: ['**/*.contract.test.ts', 'tests/contract/**/*.test.ts'],
          exclude: [...nowhere, ...alone, ...later],
          // Much of the time goes into waiting for QEMU, Temporal and disks: four files fit into two cores.
          fileParallelism: true,
          maxWorkers: cores * 2,
        },
      },
      {
        extends: true,
        test: {
          ...realProducts,
          name: 'contract-alone',
          include: alone,
          exclude: [...nowhere, ...later],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'stores', include: ['**/*.stores.test.ts'], exclude: nowhere },
      },
      {
        extends: true,
        test: {
          ...realProducts,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          exclude: [...nowhere, ...later],
          // The screens keep a core busy; the journeys wait more than they work.
          fileParallelism: true,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          ...realProducts,
          name: 'chaos',
          include: ['tests/chaos/**/*.test.ts'],
          exclude: [...nowhere, ...aloneInChaos, ...later],
          // What was killed is waited for more than it works.
          fileParallelism: true,
          maxWorkers: Math.max(2, Math.floor(cores / 2)),
        },
      },
      {
        extends: true,
        test: { ...realProducts, name: 'chaos-alone', include: aloneInChaos, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
