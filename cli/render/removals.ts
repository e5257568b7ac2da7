import type { Schemas } from '../client/index.ts'

/** What a change of rules would do to points that exist; `saving`: how the change is called in a sentence. */
export function removalText(
  saving: string,
  { problems, removals }: Pick<Schemas['CategoryPreview'], 'problems' | 'removals'>,
): string {
  if (problems.length > 0)
    return problems
      .map(({ path, message, hint }) => `${path}: ${message}${hint === null ? '' : `. ${hint}`}`)
      .join('\n')
  const going = removals.map(({ repository, points, vms, lookedAt, ofVms }) => {
    const of = lookedAt < ofVms ? ` (the first ${lookedAt} of ${ofVms} VMs were looked at)` : ''
    const [what, whose] = [points === 1 ? '1 point' : `${points} points`, vms === 1 ? '1 VM' : `${vms} VMs`]
    return `The next sweep of ${repository} would let ${what} of ${whose} go that it keeps today${of}.`
  })
  return going.length === 0 ? `${saving} lets no point go.` : going.join('\n')
}
