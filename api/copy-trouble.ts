import type { Catalog, PromisedCopies } from '../catalog/index.ts'
import { copyShortages, type CopyShortage } from '../policy/index.ts'
import type { Attention } from './attention.ts'

/** What is lacking, after a number of VMs. */
const words: { readonly [code in CopyShortage]: string } = {
  'too-few-copies': 'in fewer repositories',
  'too-few-media': 'on fewer kinds of media',
  'not-off-site': 'with fewer copies off site',
  'not-immutable': 'with fewer immutable copies',
}
const named = 3

/** VMs with fewer copies than their category promises: one thing for each category, for whoever mends it mends a plan. */
export function copyTrouble(catalog: Catalog): Attention[] {
  const ofCategory = Map.groupBy(catalog.copyPromises.short(), ({ category }) => category)
  return [...ofCategory].map(([category, vms]): Attention => {
    const first = vms[0]?.vmId ?? ''
    const more = vms.length > named ? ` and ${vms.length - named} more` : ''
    const names = vms.slice(0, named).map(({ vmName }) => vmName)
    return {
      kind: 'copies-short',
      severity: 'attention',
      title: `${count(vms.length)} of the category ${category} ${vms.length === 1 ? 'has' : 'have'} fewer copies than promised`,
      detail: `${lacking(vms)}: ${names.join(', ')}${more}. The page of each says what helps.`,
      sinceMs: null,
      subject: { kind: 'category', id: category },
      action: { label: 'See what one lacks', command: `holdfast vms ${first}` },
    }
  })
}

function lacking(vms: readonly PromisedCopies[]): string {
  const all = vms.flatMap(({ has, wants }) => copyShortages(has, wants))
  const parts = [...Map.groupBy(all, (code) => code)].map(([code, of]) => `${of.length} ${words[code]}`)
  const text = parts.join(', ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function count(n: number): string {
  return `${n} ${n === 1 ? 'VM' : 'VMs'}`
}
