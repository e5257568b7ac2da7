import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB, isHoldfastError } from '../../base/index.ts'
import type { GuestAccess } from '../facets.ts'
import type { Host } from './host.ts'
import { closeFile, openForWriting, writeTo } from '../qmp/index.ts'
import { isStopped, locateVm, stopped, withAgent, withMonitor, isRunning } from './vm.ts'

/** The guest through its agent, its screen through the monitor. */
export function guestAccess(host: Host): GuestAccess {
  return {
    async ping(ctx, ref) {
      const vm = await locateVm(host, ref.id)
      if (!(await isRunning(vm))) return 'absent'
      try {
        await withAgent(vm, (agent) => agent.ping({ limit: 2_000 }), { limit: 2_000, signal: ctx.signal })
        return 'up'
      } catch (error) {
        ctx.signal.throwIfAborted()
        if (!isHoldfastError(error)) throw error
        return error.code === 'NetworkFailure' ? 'absent' : 'silent'
      }
    },

    async run(ctx, ref, command) {
      const vm = await locateVm(host, ref.id)
      if (!(await isRunning(vm))) throw stopped(vm)
      return await withAgent(vm, (agent) => agent.exec(command.path, command.args, command.timeout, ctx.signal), {
        signal: ctx.signal,
      })
    },

    async writeFile(ctx, ref, path, content) {
      const vm = await locateVm(host, ref.id)
      if (!(await isRunning(vm))) throw stopped(vm)
      const { signal } = ctx
      // A conversation for each piece: between two of them a backup can freeze the guest. What is open stays open.
      const file = await withAgent(vm, (agent) => openForWriting(agent, path, { signal }), { signal })
      try {
        for await (const data of slices(content)) {
          await withAgent(vm, (agent) => writeTo(agent, file, data, { signal }), { signal })
          ctx.progress({ what: `writing ${path}` })
        }
      } finally {
        await withAgent(vm, (agent) => closeFile(agent, file))
      }
    },

    async screenshot(ctx, ref) {
      const vm = await locateVm(host, ref.id)
      const file = join(vm.dir, `.screen-${randomUUID()}.png`)
      try {
        await withMonitor(vm, (monitor) => monitor.call('screendump', { filename: file, format: 'png' }), ctx.signal)
        return { mediaType: 'image/png', bytes: await readFile(file) }
      } catch (error) {
        if (isStopped(error)) return null
        throw error
      } finally {
        await rm(file, { force: true })
      }
    },
  }
}

const sliceBytes = 4 * MiB

/** Content in parts of a size that one conversation takes. */
async function* slices(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  let parts: Uint8Array[] = []
  let size = 0
  for await (const data of content) {
    for (let at = 0; at < data.byteLength; at += sliceBytes) {
      const part = data.subarray(at, at + sliceBytes)
      parts.push(part)
      size += part.byteLength
      if (size < sliceBytes) continue
      yield Buffer.concat(parts)
      ;[parts, size] = [[], 0]
    }
  }
  if (size > 0) yield Buffer.concat(parts)
}
