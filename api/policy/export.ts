import { isDeepStrictEqual } from 'node:util'
import { Document, isMap, isScalar } from 'yaml'
import type { PolicyDocument } from '../schemas/policy-file.ts'
import { allDisks, nothingSet, planDefaults, type DiskSelection, type DrillRules } from '../../policy/index.ts'
import { channelBody } from '../schemas/alerts.ts'
import { recoveryPlanBody } from '../schemas/recovery-plans.ts'
import { unlimited, untouched } from './state.ts'
import { toWords } from './words.ts'

const head = ` Policy of Holdfast. \`holdfast plan -f FILE\` shows what would change, \`holdfast apply -f FILE\` makes it so.
 yaml-language-server: $schema=policy.schema.json`

/** What somebody who makes an installation anew has to bring besides (ADR 0613). */
const besides = `

 Not in this file, because each needs a secret or a machine that only you have:
 sites, hypervisors, repositories and their keys; users, tokens and single sign-on; standbys.
 Add hypervisors and repositories under the same names before you apply it. Secrets are never written here:
 \`credentialRef\` says which file on the server held one, and that file you put there again.`

/** Only what has to be said: read again, it is the same document. */
export function writePolicyFile(policy: PolicyDocument): string {
  const { version, categories, plans, vms, links, recoveryPlans } = policy
  const { sweeps, scrubs, slots, records, channels } = policy
  const part = <T>(section: { readonly [name: string]: T } | undefined, tidy: (one: T) => object) =>
    section && Object.fromEntries(Object.entries(section).map(([name, one]) => [name, tidy(one)]))
  const document = {
    version,
    ...(categories && {
      categories: part(categories, (one) =>
        without(
          { ...one, drill: one.drill && tidyDrill(one.drill) },
          {
            description: '',
            copies: undefined,
            everyMs: null,
            rtoMs: null,
            drillEveryMs: null,
            exerciseEveryMs: null,
          },
        ),
      ),
    }),
    ...(plans && {
      plans: part(plans, (plan) => ({
        // Where and where to are what a plan is about: always said.
        where: plan.where,
        ...without(
          { ...plan, where: undefined, targets: undefined, disks: tidyDisks(plan.disks) },
          { ...planDefaults, disks: {} },
        ),
        targets: plan.targets.map((target) => without(target, { copy: 'backup', keep: null })),
      })),
    }),
    ...(vms && { vms: part(vms, (vm) => without({ ...vm, disks: vm.disks && tidyDisks(vm.disks) }, untouched)) }),
    ...(links && { links: part(links, (link) => without(link, unlimited)) }),
    ...(recoveryPlans && { recoveryPlans: part(recoveryPlans, tidyRecovery) }),
    ...(sweeps && { sweeps: part(sweeps, (one) => without(one, nothingSet)) }),
    ...(scrubs && { scrubs: part(scrubs, (one) => without(one, { level: 'data' })) }),
    ...(slots && { slots }),
    ...(records && { records }),
    ...(channels && { channels: part(channels, tidyChannel) }),
  }
  const yaml = new Document(toWords(document))
  // Only of everything together it can be said what is missing.
  yaml.commentBefore = records === undefined ? head : head + besides
  tellSecrets(yaml, channels ?? {})
  return yaml.toString({ lineWidth: 120, flowCollectionPadding: true })
}

/** Beside each channel that has a secret: which one has to be brought again. */
function tellSecrets(yaml: Document, channels: NonNullable<PolicyDocument['channels']>): void {
  const section = yaml.get('channels')
  if (!isMap(section)) return
  for (const { key } of section.items) {
    const { credentialRef = '', kind = '' } = (isScalar(key) && channels[String(key.value)]) || {}
    if (isScalar(key) && credentialRef !== '')
      key.commentBefore = ` its ${secretOf(kind)} is not here: it stands in ${credentialRef.replace(/^file:/, '')} on the server`
  }
}

function secretOf(kind: string): string {
  if (kind === 'mail') return 'password'
  return ['slack', 'teams', 'discord', 'dead-man'].includes(kind) ? 'address' : 'token'
}

const usualChannel = channelBody.parse({ kind: 'webhook' })

function tidyChannel({ route, mail, ...channel }: typeof usualChannel): object {
  const said = without(route, usualChannel.route)
  return {
    ...without(channel, { ...usualChannel, kind: undefined }),
    ...(mail && { mail: without(mail, { user: null, tls: 'required' }) }),
    ...(Object.keys(said).length > 0 && { route: said }),
  }
}

const usualCheck = {
  ...{ kind: 'command', timeoutMs: 60_000, withinMs: 0, args: [], expectExit: 0, pattern: null, count: null },
  prepares: false,
}

function tidyDrill({ checks, ...rest }: DrillRules): object {
  return { ...rest, ...(checks && { checks: checks.map((check) => without(check, usualCheck)) }) }
}

function tidyDisks(disks: DiskSelection): object {
  return without(disks, allDisks)
}

/** What each member is that is not said. */
const usualRecovery = recoveryPlanBody.parse({
  tiers: [{ key: 'a', members: [{ vmId: 'a' }], before: [{ title: 'a' }] }],
})

function tidyRecovery({ tiers, ...plan }: typeof usualRecovery): object {
  const [usual] = usualRecovery.tiers
  const steps = (all: readonly object[]) => all.map((step) => without(step, { detail: '' }))
  return {
    ...without(plan, usualRecovery),
    tiers: tiers.map(({ key, members, before, then, ...tier }) => ({
      key,
      ...without(tier, { ...usual, name: key }),
      ...(members.length > 0 && { members: members.map((one) => without(one, { hypervisorId: null, name: null })) }),
      ...(before.length > 0 && { before: steps(before) }),
      ...(then.length > 0 && { then: steps(then) }),
    })),
  }
}

/** Members that say the same as the default are left out. */
function without(value: object, defaults: object): object {
  const known: { readonly [name: string]: unknown } = { ...defaults }
  return Object.fromEntries(
    Object.entries(value).filter(
      ([name, inner]) => inner !== undefined && !(Object.hasOwn(known, name) && isDeepStrictEqual(known[name], inner)),
    ),
  )
}
