/**
 * Every effect of the driver (a QMP or agent command, a program, a file that is written or removed) passes through
 * here, one after the other. It is the seam at which tests end a “process” after the k-th effect; outside of tests it
 * does nothing.
 */
export interface Effects {
  run<T>(what: string, effect: () => Promise<T>): Promise<T>
  /** `end` is what the kernel would do at the death of the process: close its sockets and pipes. Returns: forget it. */
  atDeath(end: () => void): () => void
}

export const direct: Effects = {
  run: (_what, effect) => effect(),
  atDeath: () => () => undefined,
}

/** The end of a “process” in a test. No cleanup may take it for an answer: nothing runs in a process that is dead. */
export function isDeath(error: unknown): boolean {
  return error instanceof Error && error.name === 'ProcessDied'
}
