import type { Verb } from './verbs/common.ts'

interface Entry {
  readonly summary: string
  readonly load: () => Promise<Verb>
}

/** One file per verb, loaded when it is asked for. The summaries stand here so that help needs none of them. */
export const verbs: { readonly [name: string]: Entry } = {
  status: {
    summary: 'are all VMs inside their promise, and what needs you',
    load: async () => (await import('./verbs/status.ts')).status,
  },
  vm: {
    summary: 'policy of one VM: show, set, exclude, include',
    load: async () => (await import('./verbs/vm.ts')).vm,
  },
  vms: { summary: 'VMs, those outside their promise first', load: async () => (await import('./verbs/vms.ts')).vms },
  points: { summary: 'recovery points and their proof', load: async () => (await import('./verbs/points.ts')).points },
  backup: { summary: 'back up VMs now', load: async () => (await import('./verbs/backup.ts')).backup },
  restore: { summary: 'bring a VM back', load: async () => (await import('./verbs/restore.ts')).restore },
  instant: {
    summary: 'boot a point out of its repository, then migrate or discard it',
    load: async () => (await import('./verbs/instant.ts')).instant,
  },
  files: {
    summary: 'files of a recovery point: browse, search, download',
    load: async () => (await import('./verbs/files.ts')).files,
  },
  drill: {
    summary: 'prove that a point comes back; export and verify the proof',
    load: async () => (await import('./verbs/drill.ts')).drill,
  },
  'drill-checks': {
    summary: 'what drills ask of a VM, or of a category',
    load: async () => (await import('./verbs/drill-checks.ts')).drillChecks,
  },
  drills: {
    summary: 'drills that have ended, and which come next',
    load: async () => (await import('./verbs/drills.ts')).drills,
  },
  point: {
    summary: 'hold, pin, release or remove one recovery point',
    load: async () => (await import('./verbs/point.ts')).point,
  },
  retention: {
    summary: 'what goes and what stays: plan, run, approve, audit',
    load: async () => (await import('./verbs/retention.ts')).retention,
  },
  mirror: {
    summary: 'copies in other repositories: how far each is behind; copy now',
    load: async () => (await import('./verbs/mirror.ts')).mirror,
  },
  replication: {
    summary: 'standbys on another hypervisor: how far behind; test, fail over, fail back',
    load: async () => (await import('./verbs/replication.ts')).replication,
  },
  'recovery-plan': {
    summary: 'groups of VMs that come back in an order: rehearse, run, approve, report',
    load: async () => (await import('./verbs/recovery-plan.ts')).recoveryPlan,
  },
  verify: {
    summary: 'prove that what a repository holds can be read',
    load: async () => (await import('./verbs/verify.ts')).verify,
  },
  runs: { summary: 'list runs', load: async () => (await import('./verbs/runs.ts')).runs },
  run: {
    summary: 'show, watch, pause, resume, retry or cancel a run',
    load: async () => (await import('./verbs/run.ts')).run,
  },
  plans: {
    summary: 'plans, which VMs they take; run one now',
    load: async () => (await import('./verbs/plan.ts')).plans,
  },
  schedules: {
    summary: 'when plans start, and whether Temporal has it as they say',
    load: async () => (await import('./verbs/schedules.ts')).schedules,
  },
  plan: {
    summary: 'what a policy file would change; one plan: show, pause, resume, rm',
    load: async () => (await import('./verbs/plan.ts')).plan,
  },
  apply: { summary: 'make it as a policy file says', load: async () => (await import('./verbs/plan.ts')).apply },
  category: {
    summary: 'what is promised by one category: show, set, rm',
    load: async () => (await import('./verbs/category.ts')).category,
  },
  categories: {
    summary: 'what is promised to VMs, by category',
    load: async () => (await import('./verbs/category.ts')).categories,
  },
  config: {
    summary: 'write the policy into a file',
    load: async () => (await import('./verbs/plan.ts')).config,
  },
  slots: {
    summary: 'who works and who waits, per host, repository and link',
    load: async () => (await import('./verbs/slots.ts')).slots,
  },
  bandwidth: {
    summary: 'what may be moved a second, per hypervisor and repository',
    load: async () => (await import('./verbs/bandwidth.ts')).bandwidth,
  },
  sites: {
    summary: 'sites, their workers, and what they reach',
    load: async () => (await import('./verbs/sites.ts')).sites,
  },
  site: {
    summary: 'one site: show, make, test; tokens for workers on other machines',
    load: async () => (await import('./verbs/sites.ts')).site,
  },
  hypervisor: {
    summary: 'connect hypervisors and discover VMs',
    load: async () => (await import('./verbs/hypervisor.ts')).hypervisor,
  },
  repository: {
    summary: 'register and test repositories',
    load: async () => (await import('./verbs/repository.ts')).repository,
  },
  repo: {
    summary: 'work on a repository offline, without any server',
    load: async () => (await import('./verbs/repo.ts')).repo,
  },
  rebuild: {
    summary: 'bring everything back from a repository',
    load: async () => (await import('./verbs/rebuild.ts')).rebuild,
  },
  'own-backup': {
    summary: 'the catalog itself in the repositories',
    load: async () => (await import('./verbs/own-backup.ts')).ownBackup,
  },
  'support-bundle': {
    summary: 'one file for whoever helps, without secrets',
    load: async () => (await import('./verbs/support-bundle.ts')).supportBundle,
  },
  capacity: {
    summary: 'when repositories are full; what more VMs would need',
    load: async () => (await import('./verbs/capacity.ts')).capacity,
  },
  report: {
    summary: 'how protected everything is: of a day, a week, a month',
    load: async () => (await import('./verbs/report.ts')).report,
  },
  export: {
    summary: 'whole lists as CSV or JSON',
    load: async () => (await import('./verbs/export.ts')).exportList,
  },
  audit: {
    summary: 'who took what out of points',
    load: async () => (await import('./verbs/audit.ts')).audit,
  },
  keep: {
    summary: 'how long records are kept',
    load: async () => (await import('./verbs/keep.ts')).keep,
  },
  alerts: {
    summary: 'what wants attention, since when, and what was sent',
    load: async () => (await import('./verbs/alerts.ts')).alerts,
  },
  channels: {
    summary: 'who is told of it: webhook, Slack, Teams, Discord, ntfy, Telegram',
    load: async () => (await import('./verbs/channels.ts')).channels,
  },
  check: { summary: 'one line for monitoring systems', load: async () => (await import('./verbs/check.ts')).check },
  doctor: { summary: 'check the installation', load: async () => (await import('./verbs/doctor.ts')).doctor },
  up: { summary: 'start everything for evaluation', load: async () => (await import('./verbs/up.ts')).up },
  server: { summary: 'run the server', load: async () => (await import('./verbs/server.ts')).server },
  worker: { summary: 'run a worker of a site', load: async () => (await import('./verbs/worker.ts')).worker },
  lab: { summary: 'the test hypervisor: up, status, down', load: async () => (await import('./verbs/lab.ts')).lab },
}
