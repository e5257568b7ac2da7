import { describe, expect, it } from 'vitest'
import { ApiError, problemOf, unreachable } from './problem.ts'

describe('an answer that is not the thing asked for', () => {
  it('keeps what the API says: what happened, and what to do', () => {
    const error = problemOf(
      {
        type: 'urn:x',
        title: 'Not found',
        status: 404,
        detail: 'There is no VM web-9.',
        instance: '/',
        code: 'NotFound',
        hint: 'List VMs first.',
        docs: 'errors.md#notfound',
        causes: [],
      },
      { status: 404, statusText: 'Not Found' },
    )
    expect(error).toBeInstanceOf(ApiError)
    expect([error.message, error.hint, error.code, error.signedOut]).toEqual([
      'There is no VM web-9.',
      'List VMs first.',
      'NotFound',
      false,
    ])
  })
  it('is still an error with a hint when a proxy wrote it', () => {
    const error = problemOf('<html>502</html>', { status: 502, statusText: 'Bad Gateway' })
    expect(error.message).toBe('The server answered 502 Bad Gateway')
    expect(error.hint).not.toBe('')
  })
  it('tells being signed out apart from the server being away', () => {
    expect(problemOf(null, { status: 401, statusText: '' }).signedOut).toBe(true)
    expect(unreachable(new TypeError('fetch failed')).signedOut).toBe(false)
    expect(unreachable(new TypeError('fetch failed')).status).toBe(0)
  })
})
