/**
 * The catalog: what the control plane remembers, in one SQLite file that one process owns. It is disposable: points are
 * in the repositories, runs in the engine; nothing here decides about data. Every change announces itself in `events`.
 */
export { openCatalog } from './open.ts'
export type { Catalog, CatalogOptions } from './open.ts'
export type { AccessQueries, Role, SessionRow, TokenRow } from './access.ts'
export type { CategoryView } from './categories.ts'
export { drillIdOf } from './drills.ts'
export type { DrillView, NewDrill } from './drills.ts'
export type { EndpointView, NewEndpoint } from './endpoints.ts'
export type { ChangeEvent } from './events.ts'
export type { Installation } from './installation.ts'
export type { Page, PageRequest } from './page.ts'
export { largestPage } from './page.ts'
export type { NewPoint, PointFilter, PointView, ProofNote } from './points.ts'
export type { ConsumptionRow, NewRepository, RepositoryView } from './repositories.ts'
export type { RunFilter, RunObservation, RunView, StartedRun } from './runs.ts'
export type { DayRow, PostureCounts } from './statistics.ts'
export type { VmFilter } from './vm-list.ts'
export type { DiscoveredVm, VmChange, VmView } from './vms.ts'
export { slugOf } from './slug.ts'
export type * from './types.ts'
