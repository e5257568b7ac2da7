/** An expected failure: what is missing, and what to do. Shown without a stack, which would help nobody. */
export class Failure extends Error {
  constructor(message, hint) {
    super(message)
    this.hint = hint
  }
}

export function say(text) {
  console.error(`· ${text}`)
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}

/** Names the step before it starts (a long one is seen to run) and its duration after; quick ones stay quiet. */
export async function timed(name, run) {
  const started = Date.now()
  const outcome = await run((text) => say(`${name}: ${text}`))
  const took = Date.now() - started
  if (outcome !== 'unchanged') say(`${name}: done in ${seconds(took)}`)
  return outcome
}
