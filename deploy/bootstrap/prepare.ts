/** `npm run setup`: everything that demo, tests and daily use need, and nothing else. */
import { prepare } from './prepare-all.ts'

await prepare()
console.error('ready: npm run holdfast -- up')
