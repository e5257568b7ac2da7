import type { Catalog, EndpointView, Page, PageRequest, RepositoryView } from '../../catalog/index.ts'

/** Page by page, so that no list is held. */
export const everyRepository = (catalog: Catalog): Generator<RepositoryView> =>
  every((page) => catalog.repositories.list(page))

export const everyEndpoint = (catalog: Catalog): Generator<EndpointView> =>
  every((page) => catalog.endpoints.list(page))

function* every<T>(list: (page: PageRequest) => Page<T>): Generator<T> {
  for (let cursor: string | undefined; ;) {
    const page = list({ limit: 50, cursor })
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
}
