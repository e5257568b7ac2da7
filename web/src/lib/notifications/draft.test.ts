import { expect, test } from 'vitest'
import type { Channel } from '#lib/api/types.ts'
import { channels } from '#lib/fixtures/notifications.ts'
import { draftOf, draftProblems, emptyDraft, setCommand, specOf, type ChannelDraft } from './draft.ts'

const mail: ChannelDraft = {
  ...emptyDraft('Europe/Paris'),
  name: 'ops',
  url: 'smtp://mail.example.org:587',
  from: 'holdfast@example.org',
  to: 'ann@example.org, ben@example.org',
}

test.each(channels.map((channel): [string, Channel] => [channel.name, channel]))(
  '%s goes through the form unchanged',
  (_, channel) => {
    const { kind, url, chat, mail: route, credentialRef, allowPrivate, enabled } = channel
    const spec = specOf(draftOf(channel, channel.route.timeZone))
    expect(spec).toMatchObject({ kind, url, chat, mail: route, credentialRef, allowPrivate, enabled })
    if (kind !== 'dead-man') expect(spec.route).toEqual({ digestEvery: 'day', ...channel.route })
    expect(draftProblems(draftOf(channel, 'UTC'), [])).toEqual([])
  },
)

test('what is missing is said before it is sent', () => {
  expect(draftProblems(emptyDraft('UTC'), [])).toHaveLength(4)
  expect(draftProblems(mail, ['ops'])).toEqual(['There is a channel ops already.'])
  expect(draftProblems({ ...mail, user: 'holdfast' }, [])).toEqual([
    'It needs a secret: the password, if somebody logs in.',
  ])
  expect(draftProblems({ ...mail, kind: 'slack' }, [])).toEqual([
    'It needs a secret: the whole address of the incoming webhook.',
  ])
  expect(draftProblems(mail, [])).toEqual([])
})

test('what belongs to another kind is not sent along', () => {
  const spec = specOf({ ...mail, kind: 'telegram', url: '', chat: '-100', credentialRef: 'file:/t', isQuiet: true })
  expect(spec).toMatchObject({
    url: null,
    mail: null,
    chat: '-100',
    route: { quiet: { start: '22:00', end: '07:00' } },
  })
  expect(specOf({ ...mail, kind: 'dead-man', isQuiet: true, hasDigest: true }).route).toMatchObject({
    quiet: null,
    digestAt: null,
  })
})

test('Telegram needs no address, and may have one of a server of one’s own', () => {
  const telegram: ChannelDraft = { ...mail, kind: 'telegram', url: '', chat: '-100', credentialRef: 'file:/t' }
  expect(draftProblems(telegram, [])).toEqual([])
  expect(specOf({ ...telegram, url: 'https://bots.example.org' })).toMatchObject({ url: 'https://bots.example.org' })
  expect(draftProblems({ ...telegram, credentialRef: '' }, [])).toEqual(['It needs a secret: the token of the bot.'])
})

test('the command says what the form does', () => {
  expect(setCommand({ ...mail, severity: 'critical', tags: 'erp', isQuiet: true })).toBe(
    'holdfast channels set ops --kind mail --url smtp://mail.example.org:587 --from holdfast@example.org ' +
      '--to ann@example.org --to ben@example.org --severity critical --tag erp --quiet-hours 22:00-07:00 --time-zone Europe/Paris',
  )
})
