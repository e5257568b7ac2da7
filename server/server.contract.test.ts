import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WorkflowBench } from './testing/workflows.ts'

it('a server whose port is taken says so, and what to do', async () => {
  await using bench = await WorkflowBench.start()
  const home = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  try {
    const env = {
      ...process.env,
      HOLDFAST_HOME: home,
      HOLDFAST_HOST: '127.0.0.1',
      HOLDFAST_PORT: String(port),
      TEMPORAL_ADDRESS: bench.address,
    }
    const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), 'server'], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect(code).toBe(1)
    expect(said).toContain(`cannot listen on 127.0.0.1:${port}`)
    expect(said).toContain('HOLDFAST_PORT')
    expect(said).not.toContain('IllegalState')
  } finally {
    other.close()
    rmSync(home, { recursive: true, force: true })
  }
})
