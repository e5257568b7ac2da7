import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allRoutes, openApiText } from './document.ts'

test('the committed openapi.json is what the routes say (node api/write-openapi.ts brings it up to date)', () => {
  expect(readFileSync(new URL('openapi.json', import.meta.url), 'utf8')).toBe(openApiText())
})

test('every route has an id of its own, a summary and says who may call it', () => {
  const ids = allRoutes().map((route) => route.operationId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const route of allRoutes()) {
    expect(route.summary, route.path).toBeTruthy()
    expect(route.security, route.path).toBeDefined()
  }
})

test('only health and login are open', () => {
  const open = allRoutes().filter((route) => route.security?.length === 0)
  expect(open.map((route) => `${route.method} ${route.path}`).sort()).toEqual(['get /health', 'post /session'])
})

test('no named schema is nullable itself: what may be null says so where it is used', () => {
  const { components } = JSON.parse(openApiText()) as { components: { schemas: Record<string, { type?: unknown }> } }
  const nullable = Object.entries(components.schemas).filter(
    ([, schema]) => Array.isArray(schema.type) && schema.type.includes('null'),
  )
  expect(nullable.map(([name]) => name)).toEqual([])
})
