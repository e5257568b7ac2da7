import { beforeAll, describe, expect, it } from 'vitest'
import { runModel, tables, type Row } from './index.ts'

describe('the model of the repository protocol', () => {
  let rows: Row[]
  beforeAll(() => {
    rows = [...runModel(tables(false))]
  })

  it('is safe in every configuration and in every random walk', () => {
    expect(rows.filter((row) => row.kind !== 'mutant' && row.fault !== undefined)).toEqual([])
  })

  it('catches every mutant', () => {
    expect(rows.filter((row) => row.kind === 'mutant' && row.fault !== undefined)).toEqual([])
  })
})
