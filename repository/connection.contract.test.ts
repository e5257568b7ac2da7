import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MiB } from '../base/index.ts'
import { probeLocation } from './index.ts'

test('the connection test probes an empty place without making a repository of it', async () => {
  const path = await fs.mkdtemp(join(tmpdir(), 'hf-place-'))
  try {
    const report = await probeLocation({ kind: 'posix', path })
    expect(report).toMatchObject({ passed: true, staleMs: 0 })
    expect(report.writeRate).toBeGreaterThan(MiB)
    expect(await fs.readdir(join(path, 'probe-tmp')).catch(() => [])).toEqual([])
  } finally {
    await fs.rm(path, { recursive: true })
  }
})
