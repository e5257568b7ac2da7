import type { Page } from 'playwright-core'
import {
  calmOverview,
  crmBook,
  diskSession,
  drills,
  erpBook,
  excludedDetail,
  foreignDetail,
  erpPoints,
  fileSession,
  firstOverview,
  freshDetail,
  moment,
  originalChecks,
  planBook,
  recoveryBook,
  restoreBook,
  waitingBook,
} from '../../../web/src/lib/fixtures/index.ts'
import type { Shot } from './stage.ts'

export type Picture = Shot & { readonly name: string }

const point = erpPoints[0]?.id ?? ''
const suspicious = erpPoints[3]?.id ?? ''
const proven = erpPoints[16]?.id ?? ''
const files = `/files/${fileSession}?volume=lv-erp-root&path=/etc`
const wizard = `/restore?vm=erp-db-01&point=${point}&host=pve-par-2&name=erp-db-01-restored`

async function pressed(page: Page, name: RegExp): Promise<void> {
  await page.getByRole('button', { name }).first().click()
  await page.locator('dialog[open]').waitFor()
}

/** Every screen, and the states that a screen must have. */
export const pictures: readonly Picture[] = [
  { name: 'overview', path: '/' },
  { name: 'overview-calm', path: '/', scene: { overview: calmOverview } },
  { name: 'overview-first', path: '/', scene: { overview: firstOverview, empty: true } },
  {
    name: 'overview-table',
    path: '/',
    before: (page: Page): Promise<void> => page.getByRole('button', { name: 'As table' }).click(),
  },
  { name: 'overview-loading', path: '/', silent: true },
  { name: 'overview-error', path: '/', broken: 503 },
  {
    name: 'overview-stale',
    path: '/',
    stale: true,
    before: async (page: Page): Promise<void> => {
      await page.locator('.live.stale').first().waitFor({ state: 'attached' })
      await page.clock.setFixedTime(moment + 10_000)
      await page.locator('.connection').waitFor()
    },
  },
  { name: 'vms', path: '/vms' },
  {
    name: 'vms-selected',
    path: '/vms?state=outside-rpo',
    before: async (page: Page): Promise<void> => {
      await page.getByLabel('Select files-paris-01').check()
      await page.getByLabel('Select jump-02').check()
    },
  },
  {
    name: 'vms-join',
    path: '/vms?state=outside-rpo',
    before: async (page: Page): Promise<void> => {
      await page.getByLabel('Select files-paris-01').check()
      await page.getByLabel('Select jump-02').check()
      await pressed(page, /Add to plan…/)
      await page.getByLabel('Plan', { exact: true }).selectOption('nightly-lyon')
      await page.getByText('its category becomes').waitFor()
    },
  },
  {
    name: 'vms-hold',
    path: '/vms?state=outside-rpo',
    before: async (page: Page): Promise<void> => {
      await page.getByLabel('Select files-paris-01').check()
      await page.getByLabel('Select jump-02').check()
      await pressed(page, /^Hold/)
    },
  },
  {
    name: 'vms-import',
    path: '/vms',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /^Import images…/)
      await page.getByRole('checkbox', { name: /^erp-archive-root/ }).check()
      await page.getByRole('checkbox', { name: /^erp-archive-data/ }).check()
      await page.getByLabel('Name of the VM').fill('erp-archive')
    },
  },
  {
    name: 'vms-tags',
    path: '/vms?q=tag:erp',
    before: async (page: Page): Promise<void> => {
      await page.locator('summary', { hasText: 'Tags' }).click()
      await page.locator('.drop[open]').getByRole('checkbox').first().waitFor()
    },
  },
  {
    name: 'vms-views',
    path: '/vms?q=site:lyon',
    before: async (page: Page): Promise<void> => {
      for (const name of ['Lyon', 'Lyon, everything']) {
        await page.locator('.drop > summary').last().click()
        await page.getByLabel('Name of this view').fill(name)
        await page.getByRole('button', { name: 'Save', exact: true }).click()
        await page.getByRole('link', { name: 'Outside RPO' }).click()
      }
      await page.locator('.drop > summary').last().click()
      await page.locator('.drop[open]').getByRole('link').first().waitFor()
    },
  },
  { name: 'vms-none', path: '/vms?q=tag:nothing' },
  { name: 'vms-empty', path: '/vms', scene: { empty: true } },
  {
    name: 'vms-backup',
    path: '/vms/erp-db-01',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /Back up…/)
      await page.getByRole('checkbox', { name: /Shut the VM down/ }).check()
    },
  },
  {
    name: 'vm-take-over',
    path: '/vms/erp-db-01',
    scene: { vm: foreignDetail },
    before: async (page: Page): Promise<void> => {
      await pressed(page, /Back up…/)
      await page.getByRole('checkbox', { name: /Take it over from holdfast-paris/ }).check()
    },
  },
  { name: 'vm', path: '/vms/erp-db-01' },
  { name: 'vm-checks', path: '/vms/erp-db-01', before: (page: Page): Promise<void> => pressed(page, /Edit…/) },
  {
    name: 'vm-override',
    path: '/vms/erp-db-01',
    before: (page: Page): Promise<void> => pressed(page, /^Change…/),
  },
  {
    name: 'vm-exclude',
    path: '/vms/erp-db-01',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /^Leave out…/)
      await page.getByLabel('Why').fill('moves to the new cluster')
      await page.getByLabel('Until').fill('2026-12-01')
    },
  },
  {
    name: 'vm-excluded',
    path: '/vms/erp-db-01',
    scene: { vm: excludedDetail },
  },
  { name: 'vm-fresh', path: '/vms/jump-02', scene: { vm: freshDetail, empty: true } },
  { name: 'vm-missing', path: '/vms/nothing-here' },
  { name: 'plans', path: '/plans' },
  { name: 'plans-empty', path: '/plans', scene: { empty: true } },
  {
    name: 'plan',
    path: '/plans/nightly-lyon',
    before: async (page: Page): Promise<void> => page.getByText('101 VMs', { exact: true }).waitFor(),
  },
  ...(
    [
      ['plan-dry-run', 'Dry run'],
      ['plan-yaml', 'As YAML'],
    ] as const
  ).map(([name, button]) => ({
    name,
    path: '/plans/nightly-lyon',
    before: async (page: Page): Promise<void> => {
      await page.getByText('101 VMs', { exact: true }).waitFor()
      await page.getByRole('button', { name: button }).click()
    },
  })),
  {
    name: 'plan-remove',
    path: '/plans/nightly-lyon',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /^Remove…/)
      await page.getByText('no other plan takes').waitFor()
    },
  },
  { name: 'plan-missing', path: '/plans/nothing-here' },
  {
    name: 'plan-new',
    path: '/plans/-',
    before: async (page: Page): Promise<void> => page.getByText('101 VMs', { exact: true }).waitFor(),
  },
  { name: 'schedules', path: '/schedules' },
  { name: 'schedules-empty', path: '/schedules', scene: { empty: true } },
  { name: 'categories', path: '/categories' },
  {
    name: 'category',
    path: '/categories/critical',
    before: async (page: Page): Promise<void> => page.getByText('101 VMs', { exact: true }).waitFor(),
  },
  {
    name: 'category-dry-run',
    path: '/categories/critical',
    before: (page: Page): Promise<void> => pressed(page, /^Dry run/),
  },
  { name: 'category-new', path: '/categories/-' },
  { name: 'category-missing', path: '/categories/nothing-here' },
  { name: 'sites', path: '/sites' },
  { name: 'sites-empty', path: '/sites', scene: { empty: true } },
  { name: 'site', path: '/sites/lyon' },
  {
    name: 'site-token',
    path: '/sites/lyon',
    before: (page: Page): Promise<void> => pressed(page, /New token…/),
  },
  { name: 'site-change', path: '/sites/spare', before: (page: Page): Promise<void> => pressed(page, /^Change…/) },
  {
    name: 'site-names',
    path: '/sites/lyon',
    before: (page: Page): Promise<void> => pressed(page, /^Change… names at paris/),
  },
  { name: 'site-silent', path: '/sites/paris' },
  { name: 'site-missing', path: '/sites/nothing-here' },
  { name: 'slots', path: '/slots' },
  {
    name: 'slots-change',
    path: '/slots',
    before: (page: Page): Promise<void> => pressed(page, /Change…/),
  },
  { name: 'slots-empty', path: '/slots', scene: { empty: true } },
  {
    name: 'channel-new',
    path: '/notifications',
    before: (page: Page): Promise<void> => pressed(page, /New channel…/),
  },
  {
    name: 'channel-edit',
    path: '/notifications',
    before: (page: Page): Promise<void> => pressed(page, /Change…/),
  },
  {
    name: 'channel-telegram',
    path: '/notifications',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /New channel…/)
      await page.getByLabel('How it is told').selectOption('telegram')
      await page.getByRole('button', { name: 'Save', exact: true }).click()
    },
  },
  {
    name: 'channel-remove',
    path: '/notifications',
    before: (page: Page): Promise<void> => pressed(page, /^Remove…/),
  },
  { name: 'capacity', path: '/capacity' },
  { name: 'capacity-error', path: '/capacity', broken: 503 },
  { name: 'capacity-empty', path: '/capacity', scene: { empty: true } },
  {
    name: 'capacity-what-if',
    path: '/capacity?repository=main',
    before: async (page: Page): Promise<void> => {
      await page.getByRole('button', { name: 'Simulate' }).click()
      await page.getByText('No room from').waitFor()
    },
  },
  { name: 'point-suspicious', path: `/points/${suspicious}` },
  {
    name: 'point-review',
    path: `/points/${suspicious}`,
    before: (page: Page): Promise<void> => pressed(page, /Say what it was/),
  },
  { name: 'point', path: `/points/${proven}` },
  { name: 'point-unproven', path: `/points/${point}` },
  {
    name: 'point-release',
    path: `/points/${proven}`,
    before: async (page: Page): Promise<void> => {
      await page.getByRole('button', { name: 'End it…' }).first().click()
      await page.getByRole('dialog').getByText('it ends everywhere or not at all').waitFor()
    },
  },
  {
    name: 'point-remove',
    path: `/points/${proven}`,
    before: async (page: Page): Promise<void> => {
      await page.getByRole('button', { name: 'Remove this point…' }).click()
      await page.getByRole('dialog').getByText('its space is freed by a later collection').waitFor()
    },
  },
  { name: 'files', path: files },
  {
    name: 'files-file',
    path: `${files}&file=/etc/hosts`,
    before: (page: Page): Promise<void> => page.getByRole('group', { name: 'Preview' }).waitFor(),
  },
  {
    name: 'files-found',
    path: `${files}&q=*.conf`,
    before: (page: Page): Promise<void> => page.getByLabel('Take hosts').check(),
  },
  {
    name: 'files-to-guest',
    path: files,
    before: async (page: Page): Promise<void> => {
      await page.getByLabel('Take hosts').check()
      await pressed(page, /Restore into the guest/)
      await page.getByLabel('In the place of what is there now').check()
    },
  },
  { name: 'files-disks', path: `/files/${diskSession}` },
  { name: 'files-empty', path: files, scene: { empty: true } },
  { name: 'runs', path: '/runs' },
  { name: 'runs-empty', path: '/runs', scene: { empty: true } },
  { name: 'run', path: `/runs/${erpBook.runId}` },
  { name: 'run-attempts', path: `/runs/${erpBook.runId}?step=copy-scsi1&tab=attempts` },
  { name: 'run-input', path: `/runs/${erpBook.runId}?step=copy-scsi1&tab=input` },
  { name: 'run-events', path: `/runs/${erpBook.runId}?step=copy-scsi1&tab=events` },
  {
    name: 'run-table',
    path: `/runs/${erpBook.runId}?step=`,
    before: (page: Page): Promise<void> => page.getByRole('button', { name: 'As table' }).click(),
  },
  {
    name: 'run-cancel',
    path: `/runs/${erpBook.runId}`,
    before: (page: Page): Promise<void> => pressed(page, /Cancel…/),
  },
  { name: 'run-failed', path: `/runs/${crmBook.runId}` },
  { name: 'run-waiting', path: `/runs/${erpBook.runId}`, scene: { book: waitingBook } },
  { name: 'run-recovery', path: `/runs/${recoveryBook.runId}` },
  { name: 'run-plan', path: `/runs/${planBook.runId}` },
  {
    name: 'run-attention',
    path: `/runs/${restoreBook.runId}`,
    scene: { attention: 'It went on without a slot: the capacity governor could not be asked for a minute' },
  },
  { name: 'run-restored', path: `/runs/${restoreBook.runId}` },
  { name: 'instants', path: '/restore' },
  { name: 'instants-migrate', path: '/restore', before: (page: Page): Promise<void> => pressed(page, /^Migrate…/) },
  { name: 'instants-discard', path: '/restore', before: (page: Page): Promise<void> => pressed(page, /^Discard…/) },
  { name: 'restore-point', path: '/restore?vm=erp-db-01' },
  { name: 'restore-scope', path: `${wizard}&at=scope&scope=disks&disks=scsi1` },
  { name: 'restore-destination', path: `${wizard}&at=destination` },
  {
    name: 'restore-checks',
    path: `${wizard}&at=checks`,
    before: (page: Page): Promise<void> => page.getByText('1 blocks').waitFor(),
  },
  {
    name: 'restore-original',
    scene: { checks: originalChecks },
    path: `/restore?vm=erp-db-01&point=${point}&to=original&at=summary`,
    before: (page: Page): Promise<void> => page.getByText('Type erp-db-01 to go on').last().waitFor(),
  },
  { name: 'repositories', path: '/repositories' },
  {
    name: 'mirror-post',
    path: '/repositories',
    before: (page: Page): Promise<void> => pressed(page, /^By post… to paris/),
  },
  { name: 'repositories-empty', path: '/repositories', scene: { empty: true } },
  { name: 'repositories-error', path: '/repositories', broken: 503 },
  { name: 'repository', path: '/repositories/main' },
  {
    name: 'repository-elsewhere',
    path: '/repositories/main',
    before: async (page: Page): Promise<void> => {
      await page.getByLabel('Reached by workers of').fill('paris')
      await page.getByText('--site paris').waitFor()
    },
  },
  {
    name: 'repository-verify',
    path: '/repositories/main',
    before: (page: Page): Promise<void> => pressed(page, /Verify…/),
  },
  { name: 'audit', path: '/audit' },
  { name: 'audit-empty', path: '/audit', scene: { empty: true } },
  { name: 'settings', path: '/settings' },
  {
    name: 'settings-link',
    path: '/settings',
    before: (page: Page): Promise<void> => pressed(page, /Limit a link…/),
  },
  { name: 'settings-empty', path: '/settings', scene: { empty: true } },
  { name: 'notifications', path: '/notifications' },
  { name: 'notifications-channel', path: '/notifications?channel=erp-team' },
  { name: 'notifications-empty', path: '/notifications', scene: { empty: true } },
  { name: 'notifications-error', path: '/notifications', broken: 503 },
  { name: 'retention', path: '/retention' },
  {
    name: 'retention-points',
    path: '/retention',
    before: async (page: Page): Promise<void> => {
      await page.getByRole('link', { name: 'erp-db-01' }).click()
      await page.locator('aside.panel table').waitFor()
    },
  },
  {
    name: 'retention-approve',
    path: '/retention',
    before: (page: Page): Promise<void> => pressed(page, /Approve…/),
  },
  {
    name: 'retention-sweep',
    path: '/retention',
    before: (page: Page): Promise<void> => pressed(page, /Sweep now…/),
  },
  {
    name: 'retention-settings',
    path: '/retention',
    before: (page: Page): Promise<void> => page.getByRole('button', { name: 'Change…' }).first().click(),
  },
  {
    name: 'settings-keep',
    path: '/settings',
    before: (page: Page): Promise<void> => pressed(page, /how long to keep Runs and/),
  },
  { name: 'retention-empty', path: '/retention', scene: { empty: true } },
  { name: 'drills', path: '/drills' },
  { name: 'recovery', path: '/recovery' },
  { name: 'recovery-empty', path: '/recovery', scene: { empty: true } },
  { name: 'recovery-plan', path: '/recovery/the-shop' },
  { name: 'recovery-run', path: '/recovery', before: (page: Page): Promise<void> => pressed(page, /^Run for real…/) },
  { name: 'recovery-rehearse', path: '/recovery', before: (page: Page): Promise<void> => pressed(page, /^Rehearse…/) },
  {
    name: 'recovery-choose',
    path: `/runs/${recoveryBook.runId}`,
    before: (page: Page): Promise<void> => pressed(page, /Try them again…/),
  },
  { name: 'replication', path: '/replication' },
  { name: 'replication-empty', path: '/replication', scene: { empty: true } },
  { name: 'replication-error', path: '/replication', broken: 503 },
  {
    name: 'replication-new',
    path: '/replication',
    before: async (page: Page): Promise<void> => {
      await pressed(page, /^New standby…/)
      await page.getByLabel('Stands on').selectOption('lab')
    },
  },
  {
    name: 'replication-change',
    path: '/replication',
    before: (page: Page): Promise<void> => pressed(page, /^Change…/),
  },
  {
    name: 'replication-unplanned',
    path: '/replication',
    before: (page: Page): Promise<void> => pressed(page, /^Unplanned failover…/),
  },
  {
    name: 'replication-failback',
    path: '/replication',
    before: (page: Page): Promise<void> => pressed(page, /^Fail back…/),
  },
  { name: 'drills-next', path: '/drills?view=next' },
  { name: 'drill', path: `/drills?drill=${drills[0]?.id ?? ''}` },
  {
    name: 'search',
    path: '/',
    before: async (page: Page): Promise<void> => {
      await page.keyboard.press('/')
      await page.getByPlaceholder(/Name or tag/).fill('erp')
      await page.locator('[data-command-item]').first().waitFor()
    },
  },
  {
    name: 'help',
    path: '/',
    before: async (page: Page): Promise<void> => {
      await page.keyboard.press('?')
      await page.locator('dialog[open]').waitFor()
    },
  },
  { name: 'not-found', path: '/nowhere' },
  { name: 'sign-in', path: '/sign-in' },
]
