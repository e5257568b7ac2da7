import { describe, expect, it } from 'vitest'
import { parseAzureUrl, parseLocation, parseS3Url } from './location-url.ts'

const broken = (text: string): string => {
  try {
    parseLocation(text)
    return 'accepted'
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string }
    expect(code).toBe('ConfigInvalid')
    return `${message} ${hint}`
  }
}

describe('the place of a repository', () => {
  it('is a directory unless it has a scheme', () => {
    expect(parseLocation('/srv/backup/')).toEqual({ kind: 'posix', path: '/srv/backup' })
    expect(parseLocation('backup', '/home/me')).toEqual({ kind: 'posix', path: '/home/me/backup' })
  })

  it('is one text however it is written', () => {
    const one = 's3://bucket/a/b?credentials=file:/k&endpoint=http://127.0.0.1:9000&region=eu'
    for (const text of [
      one,
      's3://bucket/a/b/?region=eu&endpoint=http://127.0.0.1:9000&credentials=file:/k',
      's3://bucket//a/b?endpoint=http%3A%2F%2F127.0.0.1%3A9000&credentials=file%3A%2Fk&region=eu',
    ]) {
      expect(parseLocation(text)).toEqual({ kind: 's3', url: one })
    }
    expect(parseLocation(one)).toEqual(parseLocation((parseLocation(one) as { url: string }).url))
  })

  it('says of S3 where, how and by whose credentials', () => {
    expect(parseS3Url('s3://bucket')).toEqual({
      bucket: 'bucket',
      prefix: '',
      region: 'us-east-1',
      pathStyle: false,
      putIfAbsent: 'native',
    })
    const url =
      's3://my.bucket/vms/lyon?endpoint=https://s3.example.org/&region=eu-west-3&path-style=false&credentials=env:KEYS' +
      '&ca=/etc/ca.pem&proxy=http://proxy:3128&rate=50&if-absent=emulated&object-lock=governance'
    expect(parseS3Url(url)).toEqual({
      bucket: 'my.bucket',
      prefix: 'vms/lyon/',
      endpoint: 'https://s3.example.org',
      region: 'eu-west-3',
      pathStyle: false,
      credentials: 'env:KEYS',
      ca: '/etc/ca.pem',
      proxy: 'http://proxy:3128',
      rate: 50,
      putIfAbsent: 'emulated',
      objectLock: 'GOVERNANCE',
    })
    // A host that is no large service has no names of buckets in its DNS.
    expect(parseS3Url('s3://bucket?endpoint=http://127.0.0.1:9000').pathStyle).toBe(true)
  })

  it('says of Azure which account and container', () => {
    expect(parseAzureUrl('azure://acme1/backups/vms?immutability=locked&credentials=file:/k')).toEqual({
      account: 'acme1',
      container: 'backups',
      prefix: 'vms/',
      credentials: 'file:/k',
      putIfAbsent: 'native',
      immutability: 'Locked',
    })
  })

  it.each([
    ['gs://bucket', 'gs are not known'],
    ['s3://Bucket', 'cannot be the name of a bucket'],
    ['s3://bucket/UPPER', 'cannot be a prefix'],
    ['s3://bucket?endpont=http://x', 'a parameter endpont'],
    ['s3://bucket?region=a&region=b', 'there twice'],
    ['s3://bucket?endpoint=ftp://x', 'endpoint is no address'],
    ['s3://bucket?rate=0', 'rate is no number'],
    ['s3://bucket?ca=relative.pem', 'ca is no absolute path'],
    ['s3://bucket?object-lock=yes', 'object-lock is yes'],
    ['azure://account/ab', 'cannot be the name of a container'],
    ['azure://acc-ount/container', 'cannot be the name of a storage account'],
  ])('refuses %s', (text, why) => {
    expect(broken(text)).toContain(why)
  })

  it.each([
    's3://AKIAID:hunter2hunter2@bucket/x',
    's3://bucket?credentials=hunter2hunter2',
    's3://bucket?proxy=http://me:hunter2hunter2@proxy:3128',
    's3://bucket?endpoint=https://me:hunter2hunter2@host',
    's3://bucket#hunter2hunter2',
  ])('takes no secret in a URL, and does not repeat it: %s', (text) => {
    expect(broken(text)).not.toContain('hunter2')
    expect(broken(text)).not.toBe('accepted')
  })
})
