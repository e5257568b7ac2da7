import { z } from '@hono/zod-openapi'
import { byteCount, categoryName, pageOf, pageQuery, repositoryId, site, timeMs } from './common.ts'

const signedBytes = z.number().int()

export const forecastSchema = z
  .object({
    state: z.enum(['too-few', 'steady', 'shrinking', 'growing', 'full']).openapi({
      description: 'too-few: fewer than seven days were measured; steady: growth cannot be told from noise',
    }),
    perDay: signedBytes.nullable().openapi({ description: 'Bytes a day: the growth of two months' }),
    perDayLow: signedBytes.nullable().openapi({ description: 'Of the flattest month of the last four' }),
    perDayHigh: signedBytes.nullable().openapi({ description: 'Of the steepest' }),
    fullMs: timeMs.nullable().openapi({ description: 'When no room is left; null: not by this growth, or not known' }),
    earliestMs: timeMs.nullable(),
    latestMs: timeMs.nullable(),
    samples: z.number().int(),
    days: z.number().openapi({ description: 'Between the first and the last sample that count' }),
  })
  .openapi('Forecast')

export const capacitySchema = z
  .object({
    repositoryId,
    repositoryName: z.string(),
    site,
    measuredMs: timeMs.nullable().openapi({ description: 'null: never measured' }),
    storedBytes: byteCount.nullable(),
    logicalBytes: byteCount.nullable(),
    capacityBytes: byteCount.nullable().openapi({ description: 'null: the store does not say' }),
    freeBytes: byteCount.nullable(),
    storedShare: z
      .number()
      .nullable()
      .openapi({ description: 'What is stored of all that its points show; deduplication and compression together' }),
    forecast: forecastSchema,
  })
  .openapi('Capacity')
export const capacityPageSchema = pageOf(capacitySchema, 'CapacityPage')
export const capacityListQuery = pageQuery

export const capacityDetailSchema = capacitySchema
  .extend({
    samples: z
      .array(z.object({ day: z.string(), storedBytes: byteCount }))
      .openapi({ description: 'One a day, a year at most, oldest first' }),
  })
  .openapi('CapacityDetail')

export const whatIfBody = z
  .object({
    vms: z.number().int().min(1).max(100_000),
    bytesPerVm: byteCount.min(1).openapi({ description: 'What the disks of each hold' }),
    category: categoryName
      .default('standard')
      .openapi({ description: 'Whose frequency and retention they would have' }),
    changeShare: z.number().min(0).max(1).optional().openapi({
      description:
        'What changes in a day; default: as the middle one of the VMs that were measured, 0.08 with fewer than three',
    }),
    storedShare: z.number().min(0.001).max(1).optional().openapi({
      description: 'What is stored of it; default: as measured in the same way, else 0.5',
    }),
    headroom: z.number().min(0).max(2).default(0.3).openapi({ description: 'Room to leave over: 0.25 … 0.5' }),
  })
  .openapi('WhatIfRequest')

export const whatIfSchema = z
  .object({
    repositoryId,
    storedShare: z.number(),
    changeShare: z.number(),
    measuredVms: z
      .number()
      .int()
      .openapi({ description: 'VMs by which the shares that were not given were measured; 0: the usual ones' }),
    keep: z.string().openapi({ description: 'The retention in words' }),
    capacityBytes: byteCount.nullable(),
    fullMs: timeMs.nullable().openapi({ description: 'First week without room, headroom included, within a year' }),
    marks: z.array(z.object({ timeMs, expectedBytes: byteCount, addedBytes: byteCount, neededBytes: byteCount })),
  })
  .openapi('WhatIf')
