/** What the installation stands on, each part with a state, a sentence and a hint. */
export { examine } from './examine.ts'
