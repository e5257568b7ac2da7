import { randomUUID } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isHoldfastError } from '../../base/index.ts'
import type { GuestAccess } from '../facets.ts'
import type { Host } from './host.ts'
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
