import { getContext, setContext } from 'svelte'
import { api, ask, type Overview } from '#lib/api/index.ts'
import { resource, type Resource } from '#lib/data/resource.svelte.ts'

const key = Symbol('overview')

/** Read once for the whole shell: the rail counts from it and the first page shows it. */
export function provideOverview(): Resource<Overview> {
  const overview = resource((signal) => ask(api.GET('/overview', { signal })), {
    on: ['run', 'point', 'drill', 'vm', 'hypervisor', 'repository', 'workers'],
  })
  return setContext(key, overview)
}

export function useOverview(): Resource<Overview> {
  return getContext<Resource<Overview>>(key)
}
