import { expect, test } from 'vitest'
import { parseLocation, parseS3Url } from './location-url.ts'
import { throughProxy } from './through-proxy.ts'

const rule = { url: 'http://proxy:3128', except: ['minio.lan', '.internal'] }
const urlOf = (text: string): string => {
  const location = throughProxy(parseLocation(text), rule)
  return location.kind === 'posix' ? location.path : location.url
}

test('a store is reached through the proxy of its site', () => {
  expect(urlOf('s3://bucket/a')).toBe('s3://bucket/a?proxy=http%3A%2F%2Fproxy%3A3128')
  expect(parseS3Url(urlOf('s3://bucket/a?region=eu-west-3')).proxy).toBe('http://proxy:3128')
  expect(urlOf('azure://account/container')).toContain('?proxy=')
})

test('not where its URL names another, where its host is excepted, or where it is a directory', () => {
  const own = 's3://bucket?proxy=http://other:1'
  expect(urlOf(own)).toBe(parseLocation(own).kind === 's3' ? urlOf(own) : '')
  expect(parseS3Url(urlOf(own)).proxy).toBe('http://other:1')
  expect(urlOf('s3://bucket?endpoint=https://minio.lan:9000&path-style=true')).not.toContain('proxy')
  expect(urlOf('s3://bucket?endpoint=https://s3.internal')).not.toContain('proxy')
  expect(urlOf('s3://bucket?endpoint=https://notinternal')).toContain('proxy')
  expect(urlOf('azure://account/container?endpoint=https://blob.internal:8443/account')).not.toContain('proxy')
  expect(urlOf('/srv/backup')).toBe('/srv/backup')
  expect(throughProxy(parseLocation('s3://bucket'), null)).toEqual(parseLocation('s3://bucket'))
})
