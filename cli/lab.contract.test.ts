import { expect, test, vi } from 'vitest'
import { bench } from '../api/testing/bench.ts'
import { ran } from './testing.ts'

// By itself: a module that is replaced costs a process that has loaded everything many seconds.
test('a lab that is detached stays when its command ends; another one ends with it', async () => {
  using here = bench({ vms: [] })
  const ended: string[] = []
  const labUp = async ({ lifetime }: { lifetime: string }) => ({
    folder: '/lab',
    vms: [{}],
    endpoint: { address: '/lab/vms', options: { scope: 's' } },
    [Symbol.asyncDispose]: async () => void ended.push(lifetime),
  })
  vi.doMock('../lab/index.ts', () => ({ labUp }))
  try {
    const detached = await ran(here, ['lab', 'up', '--detach'])
    expect(detached.code).toBe(0)
    expect(ended).toEqual([])
    expect(detached.out).toContain('holdfast hypervisor add lab /lab/vms --platform qemu')
    expect(await ran(here, ['lab', 'up'], { signal: AbortSignal.abort() })).toMatchObject({ code: 0 })
    expect(ended).toEqual(['parent'])
  } finally {
    vi.doUnmock('../lab/index.ts')
  }
})
