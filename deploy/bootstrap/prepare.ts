/** `npm run setup`: everything that demo and daily use need, and nothing else. `npm test` adds what only tests need. */
import { prepareOrExit } from './prepare-all.ts'

await prepareOrExit()
console.error('ready: npm run holdfast -- up')
