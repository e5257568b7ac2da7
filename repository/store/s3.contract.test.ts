import { afterAll, beforeAll } from 'vitest'
import { S3Lab } from '../../lab/stores/index.ts'
import { lockSuite } from './lock-suite.ts'
import { s3Suite } from './s3-suite.ts'

let lab: S3Lab
beforeAll(async () => {
  lab = await S3Lab.start('seaweedfs')
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
})

s3Suite('SeaweedFS', () => lab)
lockSuite('SeaweedFS', () => lab)
