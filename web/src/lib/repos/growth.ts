/** A line through values on a field of 640 × 96 whose floor is zero, so that its slope does not lie. */
export function growthLine(values: readonly number[]): { readonly path: string; readonly top: number } {
  const top = Math.max(1, ...values)
  const width = 640 / Math.max(1, values.length - 1)
  const path = values
    .map((value, at) => `${at === 0 ? 'M' : 'L'}${(at * width).toFixed(1)} ${(96 - (value / top) * 80).toFixed(1)}`)
    .join('')
  return { path, top }
}
