import { spawnSync } from 'node:child_process'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { toQuestions, type DrillCheckSpec } from './drill-checks.ts'

/** Here as in a guest: it is this machine's own shell that is asked. */
function answer(spec: DrillCheckSpec): { readonly status: number | null; readonly err: string } {
  const [question] = toQuestions([spec], new Map())
  const { status, stderr } = spawnSync(question?.path ?? '', [...(question?.args ?? [])], { encoding: 'utf8' })
  return { status, err: stderr }
}

test('a port is asked of the kernel: who listens is found, who does not is named', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const spec = { kind: 'port', title: 'p', port, timeoutMs: 1_000, withinMs: 0 } as const
  expect(answer(spec)).toMatchObject({ status: 0 })
  await new Promise((resolve) => server.close(resolve))
  expect(answer(spec)).toEqual({ status: 1, err: `nobody listens on port ${port}\n` })
})
