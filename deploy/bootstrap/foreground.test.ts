import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'

const module = new URL('./foreground.mjs', import.meta.url).href

/** A front process whose child runs `script` in sh. */
function front(script: string): ChildProcess {
  const code = `import { runInFront } from ${JSON.stringify(module)}
    process.exitCode = await runInFront('sh', ['-c', ${JSON.stringify(script)}])`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function said(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer]
  return chunk.toString().trim()
}

async function ended(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'exit')) as [number]
  return code
}

function lives(pid: string): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test('the exit code of the child is that of the front process', async () => {
  expect(await ended(front('exit 7'))).toBe(7)
  expect(await ended(front('kill -KILL $$'))).toBe(137)
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s reaches the child, which ends in its own way', async (signal) => {
  const child = front('trap "exit 42" INT TERM; echo ready; while :; do sleep 0.05; done')
  expect(await said(child)).toBe('ready')
  child.kill(signal)
  expect(await ended(child)).toBe(42)
})

test('a front process that is killed takes its child with it', async () => {
  const child = front('echo $$; exec sleep 60')
  const pid = await said(child)
  expect(lives(pid)).toBe(true)
  child.kill('SIGKILL')
  await expect.poll(() => lives(pid)).toBe(false)
})

test('what the child leaves in its process group ends with it', async () => {
  const child = front('sleep 60 & echo $!')
  const pid = await said(child)
  await ended(child)
  await expect.poll(() => lives(pid)).toBe(false)
})
