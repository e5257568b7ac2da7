/** Task queues, built in one place: a typo in a queue name is a silent wait. */
export const controlQueue = 'holdfast.control'

/** Everything that touches the hypervisors and repositories of a site. */
export function siteQueue(site: string): string {
  return `holdfast.site.${site}`
}
