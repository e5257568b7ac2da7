/** `6:05`, `0605` and `06:05` are `06:05`; null: no time of a day of 24 hours. */
export function clockOfText(text: string): string | null {
  const [, hours, minutes] = /^(\d{1,2}):?(\d{2})$/.exec(text.trim()) ?? []
  if (hours === undefined || minutes === undefined || Number(hours) > 23 || Number(minutes) > 59) return null
  return `${hours.padStart(2, '0')}:${minutes}`
}
