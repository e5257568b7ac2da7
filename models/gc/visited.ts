/**
 * The set of states already met, as 64-bit fingerprints in an open-addressing table that doubles up to a limit. Two
 * states with one fingerprint would count as one: for 50 million states the chance that any pair does is 7 in 100,000.
 * The seed is fixed, so a run is repeatable to the last number.
 */
export class VisitedSet {
  size = 0
  private slots: number
  /** Two words for each slot; both 0 = empty. */
  private table: Uint32Array

  constructor(slots = 1 << 16) {
    this.slots = slots
    this.table = new Uint32Array(2 * slots)
  }

  /** Adds the state in `words[at .. at + length)`; false if it was there. */
  add(words: Uint32Array, at: number, length: number): boolean {
    let low = 0x9e3779b9
    let high = 0x85ebca6b
    for (let i = at; i < at + length; i++) {
      const word = words[i]!
      low = Math.imul(low ^ word, 0xcc9e2d51)
      low = (low << 15) | (low >>> 17)
      high = Math.imul(high ^ word ^ (low >>> 7), 0x1b873593)
      high = (high << 13) | (high >>> 19)
    }
    low = mix(low ^ (high >>> 3))
    high = mix(high ^ Math.imul(low, 5))
    if (low === 0 && high === 0) low = 1
    if (this.size > this.slots * 0.7) this.grow()
    return this.insert(low, high)
  }

  private insert(low: number, high: number): boolean {
    const table = this.table
    const mask = this.slots - 1
    const wantLow = low >>> 0
    const wantHigh = high >>> 0
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const foundLow = table[2 * slot]!
      const foundHigh = table[2 * slot + 1]!
      if (foundLow === wantLow && foundHigh === wantHigh) return false
      if (foundLow !== 0 || foundHigh !== 0) continue
      table[2 * slot] = wantLow
      table[2 * slot + 1] = wantHigh
      this.size++
      return true
    }
  }

  private grow(): void {
    const old = this.table
    this.slots *= 2
    this.table = new Uint32Array(2 * this.slots)
    this.size = 0
    for (let i = 0; i < old.length; i += 2) {
      if (old[i] !== 0 || old[i + 1] !== 0) this.insert(old[i]!, old[i + 1]!)
    }
  }
}

function mix(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
