import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  argumentsOf,
  identify,
  isAlive,
  requireProgram,
  runProgram,
  signalProcess,
  spawnSupervised,
  waitForExit,
} from './index.ts'

describe('a process', () => {
  test('is known by its start time: another one with its pid is not it and is not signalled', async () => {
    const child = spawn('sleep', ['60'])
    const who = await identify(child.pid ?? 0)
    if (who === null) throw new Error('no sleep')
    const reused = { pid: who.pid, started: String(Number(who.started) - 1) }
    expect(await isAlive(reused)).toBe(false)
    expect(await signalProcess(reused, 'SIGKILL')).toBe(false)
    expect(await isAlive(who)).toBe(true)
    expect(await argumentsOf(who.pid)).toEqual(['sleep', '60'])
    expect(await waitForExit(who, 0)).toBe(false)
    expect(await signalProcess(who, 'SIGKILL')).toBe(true)
    expect(await waitForExit(who, 5_000)).toBe(true)
    expect(await identify(who.pid)).toBeNull()
    expect(await argumentsOf(who.pid)).toBeNull()
  })

  test('is read right though its name holds spaces and parentheses', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hf-process-'))
    const program = join(dir, 'a) S 1 (b')
    copyFileSync(requireProgram('sleep'), program)
    const child = spawn(program, ['60'])
    try {
      const [plain, odd] = [await identify(process.pid), await identify(child.pid ?? 0)]
      expect(Number(odd?.started)).toBeGreaterThanOrEqual(Number(plain?.started))
    } finally {
      child.kill('SIGKILL')
      rmSync(dir, { recursive: true })
    }
  })

  test('that is supervised dies with the process that started it, whatever kills that', async () => {
    const script = `
      import { spawnSupervised } from ${JSON.stringify(`${import.meta.dirname}/index.ts`)}
      const child = spawnSupervised('sleep', ['60'], process.argv[1], 'ignore')
      child.unref()
      console.log(child.pid)
      setInterval(() => undefined, 1000)`
    for (const [lifetime, survives] of [
      ['parent', false],
      ['detached', true],
    ] as const) {
      const parent = spawn(process.execPath, [
        '--disable-warning=ExperimentalWarning',
        '--input-type=module-typescript',
        '-e',
        script,
        lifetime,
      ])
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const child = await identify(Number(line))
      if (child === null) throw new Error('no child')
      parent.kill('SIGKILL')
      await once(parent, 'exit')
      expect(await waitForExit(child, survives ? 300 : 5_000)).toBe(!survives)
      await signalProcess(child, 'SIGKILL')
    }
  })
})

describe('a program', () => {
  test('that fails tells its exit code and its own words', async () => {
    const failing = runProgram('sh', ['-c', 'echo out; echo wrong >&2; exit 3'])
    await expect(failing).rejects.toMatchObject({ code: 'Internal', native: { code: '3', text: 'wrong' } })
    expect(await runProgram('sh', ['-c', 'echo out; exit 3'], { accept: [3] })).toEqual({
      exit: 3,
      out: 'out\n',
      err: '',
    })
  })

  test('that is not installed is named with the command that installs it', () => {
    expect(() => requireProgram('no-such-program')).toThrow(expect.objectContaining({ code: 'PackageMissing' }))
    const path = process.env['PATH']
    try {
      process.env['PATH'] = '/nowhere'
      expect(() => spawnSupervised('qemu-img', [], 'detached', 'ignore')).toThrow(
        expect.objectContaining({
          hint: expect.stringContaining('apt-get install -y --no-install-recommends qemu-utils') as string,
        }),
      )
    } finally {
      process.env['PATH'] = path
    }
  })

  test('that does not end in time is killed and named', async () => {
    const stuck = runProgram('sleep', ['60'], { limit: 50 })
    await expect(stuck).rejects.toMatchObject({
      code: 'HypervisorTimeout',
      message: 'sleep did not end within 50 ms',
    })
  })

  test('is killed when the caller gives up', async () => {
    const running = runProgram('sleep', ['60'], { signal: AbortSignal.timeout(50) })
    await expect(running).rejects.toMatchObject({ code: 'Cancelled' })
  })
})
