import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { AgentClient, MAX_OUTPUT } from './agent.ts'
import { FakePeer } from './testing/fake-peer.ts'

type Request = { readonly execute: string; readonly arguments?: { readonly id?: number; readonly pid?: number } }

/** An agent as qemu-ga is: the answer to the delimited synchronisation has 0xFF in front. */
function agentPeer(
  answer: (request: Request, socket: Socket) => void,
  before: Buffer = Buffer.alloc(0),
): Promise<FakePeer> {
  return FakePeer.listen(
    (socket) => socket.write(before),
    (line, socket) => {
      const request = JSON.parse(line.replaceAll('\xff', '')) as Request
      if (request.execute === 'guest-sync-delimited')
        socket.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return": ${request.arguments?.id}}\n`)]))
      else answer(request, socket)
    },
  )
}
const reply = (socket: Socket, value: unknown): void => void socket.write(`${JSON.stringify({ return: value })}\n`)

describe('a conversation with the guest agent', () => {
  test('answers that an earlier client did not wait for are not taken for ours', async () => {
    const stale = Buffer.from('{"return": "frozen"}\n{"return": {"pid"')
    await using peer = await agentPeer((_request, socket) => reply(socket, 'thawed'), stale)
    await using agent = await AgentClient.connect(peer.path)
    expect(await agent.freezeStatus()).toBe('thawed')
    expect(peer.received[0]?.startsWith('\xff')).toBe(true)
  })

  test('an answer to the synchronisation of somebody who gave up is passed over, ours is waited for', async () => {
    const others = '\xff{"return": 1234567890123}\n'
    for (const late of [others, `${others}{"return": {"pid"`, `${others}no JSON}\n`, `${others}${others}`]) {
      for (const apart of [false, true]) {
        await using peer = await FakePeer.listen(
          () => undefined,
          (line, socket) => {
            const request = JSON.parse(line.replaceAll('\xff', '')) as Request
            if (request.execute !== 'guest-sync-delimited') return reply(socket, 'thawed')
            const ours = `\xff{"return": ${request.arguments?.id}}\n`
            socket.write(Buffer.from(apart ? late : late + ours, 'latin1'))
            if (apart) setTimeout(() => socket.write(Buffer.from(ours, 'latin1')), 5)
          },
        )
        await using agent = await AgentClient.connect(peer.path)
        expect(await agent.freezeStatus()).toBe('thawed')
      }
    }
  })

  test('whoever answers only somebody else’s synchronisation is no agent of ours', async () => {
    await using peer = await FakePeer.listen(
      () => undefined,
      (_line, socket) => socket.write(Buffer.from('\xff{"return": 1234567890123}\n', 'latin1')),
    )
    await expect(AgentClient.connect(peer.path, { limit: 20 })).rejects.toMatchObject({ code: 'GuestAgentDisabled' })
  })

  test('silence is no agent; a silent command ends the conversation', async () => {
    await using mute = await FakePeer.listen(
      () => undefined,
      () => undefined,
    )
    await expect(AgentClient.connect(mute.path, { limit: 20 })).rejects.toMatchObject({ code: 'GuestAgentDisabled' })
    await using peer = await agentPeer(() => undefined)
    await using agent = await AgentClient.connect(peer.path)
    await expect(agent.ping({ limit: 20 })).rejects.toMatchObject({ code: 'HypervisorTimeout' })
    expect(agent.isOpen).toBe(false)
  })

  test('commands follow one another, each with its own answer', async () => {
    await using peer = await agentPeer((request, socket) => reply(socket, request.execute))
    await using agent = await AgentClient.connect(peer.path)
    expect(await Promise.all(['a', 'b', 'c'].map((c) => agent.call(c)))).toEqual(['a', 'b', 'c'])
  })

  test('refused while frozen, switched off, and refused otherwise are told apart', async () => {
    const cases = [
      ['CommandNotFound', 'Command guest-exec has been disabled: the agent is in frozen state', 'GuestRefused'],
      ['CommandNotFound', 'The command guest-exec has been disabled for this instance', 'GuestAgentDisabled'],
      ['GenericError', 'Failed to execute child process', 'GuestRefused'],
    ] as const
    for (const [nativeClass, text, code] of cases) {
      await using peer = await agentPeer(
        (_r, socket) => void socket.write(`${JSON.stringify({ error: { class: nativeClass, desc: text } })}\n`),
      )
      await using agent = await AgentClient.connect(peer.path)
      await expect(agent.execStart('/x', [], false)).rejects.toMatchObject({
        code,
        native: { code: nativeClass, text },
      })
    }
  })

  test('outputs are cut at 64 KiB each and said to be; a program that ends by a signal has a code', async () => {
    const long = Buffer.alloc(MAX_OUTPUT + 1, 'x').toString('base64')
    const answers: { readonly [command: string]: unknown } = {
      'guest-exec': { pid: 7 },
      'guest-exec-status': {
        exited: true,
        signal: 9,
        'out-data': long,
        'err-data': Buffer.from('é').toString('base64'),
      },
    }
    await using peer = await agentPeer((request, socket) => reply(socket, answers[request.execute]))
    await using agent = await AgentClient.connect(peer.path)
    const result = await agent.exec('/bin/long', [], 1_000)
    expect(result).toMatchObject({ exit: 137, err: 'é', truncated: true })
    expect(result.out).toHaveLength(MAX_OUTPUT)
  })

  test('a program that takes too long is killed in the guest, once, and never started again', async () => {
    await using peer = await agentPeer((request, socket) => {
      if (request.execute === 'guest-exec') reply(socket, { pid: peer.received.length })
      else reply(socket, { exited: request.arguments?.pid !== 2, exitcode: 0 })
    })
    await using agent = await AgentClient.connect(peer.path)
    await expect(agent.exec('/bin/slow', ['a'], 30)).rejects.toMatchObject({ code: 'HypervisorTimeout' })
    const started = peer.received.filter((line) => line.includes('"guest-exec"'))
    expect(started.filter((line) => line.includes('/bin/slow'))).toHaveLength(1)
    expect(started.filter((line) => line.includes('kill -KILL'))).toHaveLength(1)
  })
})
