/**
 * Alerts: what "needs you" is told to people who are not looking. One list decides what wants attention; here it gets a
 * beginning and an end (incidents), and goes to channels once, with its recovery, by routes and quiet hours.
 */
export { alertKeeper } from './keeper.ts'
export { testMessage } from './tell.ts'
