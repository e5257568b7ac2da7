import type { ActivityOptions } from '@temporalio/workflow'

/**
 * Activity ids that people can link to (`copy:virtio0`), unique within a run: the second start of a step is
 * `copy:virtio0~2`. A compensation is called `undo:<step>:<what>`, so that the runbook draws it under its step.
 */
export class StepIds {
  readonly #starts = new Map<string, number>()

  next(id: string): string {
    const start = (this.#starts.get(id) ?? 0) + 1
    this.#starts.set(id, start)
    return start === 1 ? id : `${id}~${start}`
  }

  step(id: string, summary: string): ActivityOptions {
    return { activityId: this.next(id), summary: cut(summary, 200) }
  }

  undo(of: string, what: string, summary: string): ActivityOptions {
    return this.step(`undo:${of}:${what}`, summary)
  }
}

/** Temporal refuses summaries above 200 bytes. */
export function cut(text: string, bytes: number): string {
  let size = 0
  let out = ''
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    size += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    if (size > bytes - 3) return `${out}…`
    out += char
  }
  return out
}

/** 32 lower-case hex digits from a UUID. */
export function hex32(uuid: string): string {
  return uuid.replaceAll('-', '').toLowerCase()
}
