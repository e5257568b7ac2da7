import { expect, it } from 'vitest'
import { runLook } from './looks.ts'

const drill = (said: string | null) => runLook({ kind: 'drill', state: 'completed', said })

it('a drill that found the point broken is never shown in green, although its run is done', () => {
  expect(drill('failed: orders are whole: counted 990').tone).toBe('fail')
  expect(drill('Failed: orders are whole').word).toBe('Failed')
  expect(drill('inconclusive: the guest agent does not answer').tone).toBe('unknown')
  expect(drill('passed: booted, 3 of 3 checks passed').tone).toBe('ok')
  expect(drill('inconclusive').word).toBe('Inconclusive')
})

it('without a verdict a drill claims nothing', () => {
  expect(drill(null).tone).toBe('unknown')
  expect(drill('ended').tone).toBe('unknown')
})

it('every other run is shown by its state', () => {
  expect(runLook({ kind: 'backup', state: 'completed', said: 'failed to be funny' }).tone).toBe('ok')
  expect(runLook({ kind: 'drill', state: 'running', said: 'passed' }).tone).toBe('run')
  expect(runLook({ kind: 'drill', state: 'failed', said: null }).tone).toBe('fail')
})
