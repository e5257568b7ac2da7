import { getContext, setContext } from 'svelte'
import { api, ask, type Incident } from '#lib/api/index.ts'
import { resource } from '#lib/data/resource.svelte.ts'
import { newest, unseen } from './news.ts'

const key = Symbol('news')
const remembered = 'notifications-seen'

/** What began since somebody last looked at the notifications on this browser. */
export interface News {
  /** Of what is open; the server is asked for fifty. */
  readonly count: number
  isNew(incident: Incident): boolean
  /** Everything up to this list was looked at. */
  seen(list: readonly Incident[]): void
}

/** Read once for the whole shell: the bell counts from it. */
export function provideNews(): News {
  let last = $state(Number(localStorage.getItem(remembered)) || 0)
  const open = resource(
    (signal) => ask(api.GET('/incidents', { params: { query: { state: 'open', limit: 50 } }, signal })),
    { on: ['alert'] },
  )
  return setContext(key, {
    get count() {
      return unseen(open.value?.items ?? [], last)
    },
    isNew: (incident) => unseen([incident], last) > 0,
    seen(list) {
      const id = newest(list, last)
      if (id === last) return
      last = id
      localStorage.setItem(remembered, String(id))
    },
  } satisfies News)
}

export function useNews(): News {
  return getContext<News>(key)
}
