import { afterAll, beforeAll, describe } from 'vitest'
import { S3Lab } from '../../lab/stores/index.ts'
import { lockSuite } from './lock-suite.ts'
import { s3Suite } from './s3-suite.ts'

describe.each(['versitygw', 'minio'] as const)('%s', (server) => {
  let lab: S3Lab
  beforeAll(async () => {
    lab = await S3Lab.start(server)
  })
  afterAll(async () => {
    await lab[Symbol.asyncDispose]()
  })

  s3Suite(server, () => lab)
  lockSuite(server, () => lab)
})
