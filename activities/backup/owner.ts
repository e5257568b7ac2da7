/**
 * One writer (docs/operations/one-writer.md): the installation that protects a VM is marked on the VM and, for each
 * repository, in its series there. Either mark of another installation refuses.
 */
import { HoldfastError, formatInstant } from '../../base/index.ts'
import type { HypervisorDriver, OpContext } from '../../drivers/index.ts'
import type { Finding, OwnerMark } from '../../drivers/values.ts'
import type { Repository, SeriesOwners } from '../../repository/index.ts'
import type { Site } from '../shared/deps.ts'
import type { PreflightInput } from './types.ts'

type Asked = Pick<PreflightInput, 'vm' | 'repository' | 'takeOverFrom'>

/** Throws ForeignOwner. What is to be taken over may be of the installation that was named, and of no other one. */
export function refuseForeign(site: Site, input: Asked, mark: OwnerMark | null, { owners }: SeriesOwners): void {
  if (mark !== null && !isAllowed(site, input, mark)) throw foreignVm(input, mark)
  const [owner] = owners
  if (owner !== undefined && !isAllowed(site, input, owner)) throw foreignSeries(input, owner)
}

/** Throws ForeignOwner if another installation was faster. */
export async function claimVm(site: Site, driver: HypervisorDriver, ctx: OpContext, input: Asked): Promise<void> {
  const { installation, installationName: name } = site.options
  const mark = { installation, name, since: ctx.now() }
  const { owner, ours } = await driver.claim(ctx, input.vm, mark, input.takeOverFrom)
  if (!ours) throw foreignVm(input, owner)
}

/** Before the first backup into this repository; of a series that is ours it writes nothing. Throws ForeignOwner. */
export async function claimSeries(
  site: Site,
  repository: Repository,
  { vm, repository: at, takeOverFrom }: Asked,
  signal: AbortSignal,
): Promise<void> {
  const { installation, installationName: name } = site.options
  const series = repository.series({ platform: vm.platform, scope: vm.scope, vm: vm.id })
  const takeFrom = takeOverFrom === undefined ? [] : [takeOverFrom]
  const owner = await repository.claimSeries({ series, installation, name, takeFrom }, signal)
  if (owner.installation !== installation) throw foreignSeries({ vm, repository: at }, owner)
}

/** Of the run: a mark that does not count decides nothing, and is looked into. */
export function ignoredMark({ object, why }: SeriesOwners['ignored'][number]): Finding {
  return {
    code: 'owner-mark-ignored',
    severity: 'warning',
    disk: null,
    message: `a mark in the repository that says who protects this VM does not count: ${why}`,
    hint: `Verify the repository; ${object} was damaged, or written by somebody without its keys.`,
  }
}

function isAllowed(
  { options }: Site,
  { takeOverFrom }: Asked,
  owner: { readonly installation: string; readonly name: string },
): boolean {
  return owner.installation === options.installation || [owner.installation, owner.name].includes(takeOverFrom ?? '')
}

function foreignVm({ vm }: Asked, { name, since, installation }: OwnerMark): HoldfastError {
  return refused(`${vm.name} is protected by the installation ${name} since ${since}`, vm.name, { name, installation })
}

function foreignSeries({ vm, repository }: Asked, owner: SeriesOwners['owners'][number]): HoldfastError {
  const since = formatInstant(owner.sinceMs)
  return refused(
    `${vm.name} is protected in ${repository.name} by the installation ${owner.name} since ${since}`,
    vm.name,
    owner,
  )
}

function refused(
  message: string,
  vm: string,
  { name, installation }: { readonly name: string; readonly installation: string },
): HoldfastError {
  return new HoldfastError('ForeignOwner', message, {
    hint: `Two installations would break each other's chains. If ${name} is to give it up, take it out of the plans there, then take it over: \`holdfast backup ${vm} --take-over-from ${name}\`.`,
    data: { owner: name, installation },
  })
}
