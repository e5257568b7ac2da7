import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../base/index.ts'
import type { EndpointView, VmView } from '../../catalog/index.ts'
import {
  discoverWorkflow,
  discoverWorkflowId,
  lookAtImagesWorkflow,
  lookAtImagesWorkflowId,
  type DiscoverInput,
  type DiscoverResult,
  type LookAtImagesInput,
  type LookAtImagesResult,
} from '../../workflows/inventory/contract.ts'
import type { ApiDeps } from '../deps.ts'
import { askSite } from '../site-checks.ts'
import { endpointOf } from './targets.ts'

type SiteError = NonNullable<LookAtImagesResult['error']>

/** What lies in the folder of an endpoint of the platform image. Throws Unsupported for others, and what the worker says. */
export async function imagesOf(deps: ApiDeps, id: string): Promise<LookAtImagesResult['images']> {
  return (await look(deps, deps.catalog.endpoints.get(id), null)).images
}

/** Describes a VM with these images and lists the folder again. Throws what the worker says. */
export async function vmOfImages(deps: ApiDeps, id: string, vm: NonNullable<LookAtImagesInput['vm']>): Promise<VmView> {
  const { catalog } = deps
  const view = catalog.endpoints.get(id)
  await look(deps, view, vm)
  const input: DiscoverInput = { v: 1, endpoint: endpointOf(view), site: view.site, mode: 'discover' }
  const workflowId = discoverWorkflowId(id)
  const ask = { workflow: discoverWorkflow, workflowId, input, summary: `Discover ${view.name}`, site: view.site }
  // A listing that was under way before the VM was described does not know it yet; the next one does.
  for (let tries = 0; tries < 2; tries += 1) {
    const { error } = (await askSite(deps, ask)) as DiscoverResult
    if (error !== null) throw said(error)
    const { items } = catalog.vms.list({ limit: 200 }, { endpointId: id, q: vm.name, showGone: false })
    const found = items.find(({ name }) => name === vm.name)
    if (found !== undefined) return found
  }
  throw new HoldfastError('NotFound', `the worker has described ${vm.name} and does not list it`, {
    hint: `Look at what it says: holdfast hypervisor discover ${id}.`,
  })
}

async function look(deps: ApiDeps, view: EndpointView, vm: LookAtImagesInput['vm']): Promise<LookAtImagesResult> {
  if (view.platform !== 'image')
    throw new HoldfastError('Unsupported', `${view.name} is of the platform ${view.platform}`, {
      hint: 'Images are imported from the folder of a hypervisor of the platform image.',
    })
  const input: LookAtImagesInput = { v: 1, endpoint: endpointOf(view), site: view.site, vm }
  const result = (await askSite(deps, {
    workflow: lookAtImagesWorkflow,
    workflowId: lookAtImagesWorkflowId(randomBytes(16).toString('hex')),
    input,
    summary: vm === null ? `Images of ${view.name}` : `Describe ${vm.name} at ${view.name}`,
    site: view.site,
  })) as LookAtImagesResult
  if (result.error !== null) throw said(result.error)
  return result
}

function said({ code, message, hint }: SiteError): HoldfastError {
  return new HoldfastError(code, message, { hint })
}
