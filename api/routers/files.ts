import type { OpenAPIHono } from '@hono/zod-openapi'
import { HoldfastError, isHoldfastError } from '../../base/index.ts'
import type { AuditAction, AuditDetail } from '../../catalog/index.ts'
import type { FileStream } from '../../files/types.ts'
import { endFilesUpdate, filesWorkflowId } from '../../workflows/files/contract.ts'
import type { ApiEnv } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'
import { passOn } from '../pass-on.ts'
import { planFiles, planFilesToGuest } from '../requests/files.ts'
import { newRequestId } from '../requests/restore.ts'
import { startOnce } from '../requests/start.ts'
import { fileRoutes as routes } from '../routes/index.ts'
import { accepted } from '../views/runs.ts'
import { answerAccepted, requestOf, router } from './common.ts'

export function fileRouter(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { catalog, orchestrator, live, files, log } = deps
  /** What is not open has a reason: it never was, it has ended, or not yet. */
  const open = async <T>(session: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!isHoldfastError(error) || error.code !== 'NoWorker') throw error
      const run = await orchestrator.describe(filesWorkflowId(session))
      if (run === undefined) throw new HoldfastError('NotFound', `there is no file session ${session}`)
      if (run.status === 'running') throw error
      throw new HoldfastError('RunEnded', `the file session ${session} has ended`, { hint: 'Open the point again.' })
    }
  }
  /** Content of a guest leaves us: who took what of which point is written down first, and told in the server's log. */
  const took = async (user: string, session: string, action: AuditAction, detail: AuditDetail): Promise<void> => {
    const workflowId = filesWorkflowId(session)
    const run = catalog.runs.latest(workflowId) ?? (await orchestrator.describe(workflowId))?.memo
    catalog.audit.add({
      user,
      action,
      vmId: run?.vmId ?? null,
      pointId: run?.pointId ?? null,
      subject: session,
      detail,
    })
    const { paths = [], ...rest } = detail
    const few = detail.paths && { paths: paths.slice(0, mostTold), more: Math.max(0, paths.length - mostTold) }
    log.info({ user, session, ...rest, ...few }, action === 'read-disk' ? toldDisk : told)
  }
  return router()
    .openapi(routes.start, async (c) => {
      const wish = c.req.valid('json')
      const plan = planFiles(catalog, wish, c.var.identity.user)
      return answerAccepted(c, await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish)))
    })
    .openapi(routes.volumes, async (c) => {
      const { session } = c.req.valid('param')
      const items = await open(session, () => files.ask(session, { what: 'volumes' }, c.req.raw.signal))
      return c.json({ items: [...items] }, 200)
    })
    .openapi(routes.list, async (c) => {
      const { session } = c.req.valid('param')
      const query = c.req.valid('query')
      const page = await open(session, () => files.ask(session, { what: 'list', ...query }, c.req.raw.signal))
      return c.json({ ...page, items: [...page.items] }, 200)
    })
    .openapi(routes.stat, async (c) => {
      const { session } = c.req.valid('param')
      const query = c.req.valid('query')
      return c.json(await open(session, () => files.ask(session, { what: 'stat', ...query }, c.req.raw.signal)), 200)
    })
    .openapi(routes.search, async (c) => {
      const { session } = c.req.valid('param')
      const { q: text, ...place } = c.req.valid('query')
      const found = await open(session, () => files.ask(session, { what: 'search', text, ...place }, c.req.raw.signal))
      return c.json({ ...found, items: [...found.items] }, 200)
    })
    .openapi(routes.content, async (c) => {
      const { session } = c.req.valid('param')
      const { end = null, ...query } = c.req.valid('query')
      // Answered as a GET whose body nobody reads: the session would wait for that for ever.
      if (c.req.method === 'HEAD') return answer(null, null, binary, 'file')
      const stream = await open(session, () =>
        files.stream(session, { what: 'content', end, ...query }, c.req.raw.signal),
      )
      const { volume, path, start } = query
      const range = start > 0 || end !== null ? { range: { start, end } } : {}
      await written(stream, took(c.var.identity.user, session, 'read-file', { volume, paths: [path], ...range }))
      return answer(stream.size, passOn(c.req.raw, stream), binary, query.path.split('/').at(-1) ?? 'file')
    })
    .openapi(routes.archive, async (c) => {
      const { session } = c.req.valid('param')
      const { volume, path, format } = c.req.valid('query')
      if (c.req.method === 'HEAD') return answer(null, null, archiveTypes[format], 'file')
      const stream = await open(session, () =>
        files.stream(session, { what: 'archive', volume, paths: path, format }, c.req.raw.signal),
      )
      await written(stream, took(c.var.identity.user, session, 'read-archive', { volume, paths: path, format }))
      return answer(stream.size, passOn(c.req.raw, stream), archiveTypes[format], `${volume}.${format}`)
    })
    .openapi(routes.image, async (c) => {
      const { session } = c.req.valid('param')
      const { disk, format } = c.req.valid('query')
      if (c.req.method === 'HEAD') return answer(null, null, binary, 'disk')
      const stream = await open(session, () => files.stream(session, { what: 'image', disk, format }, c.req.raw.signal))
      await written(stream, took(c.var.identity.user, session, 'read-disk', { disk, format }))
      return answer(stream.size, passOn(c.req.raw, stream), binary, `${disk}.${format}`)
    })
    .openapi(routes.toGuest, async (c) => {
      const { session } = c.req.valid('param')
      const wish = c.req.valid('json')
      const run = await orchestrator.describe(filesWorkflowId(session))
      const pointId = run?.memo?.pointId ?? null
      if (pointId === null) throw new HoldfastError('NotFound', `there is no file session ${session}`)
      await open(session, () => files.ask(session, { what: 'volumes' }, c.req.raw.signal))
      const plan = planFilesToGuest(catalog, session, pointId, wish, c.var.identity.user)
      const started = await startOnce(deps, plan, requestOf(c.req, c.req.valid('header'), wish))
      await took(c.var.identity.user, session, 'write-to-guest', { volume: wish.volume, paths: wish.paths })
      return answerAccepted(c, started)
    })
    .openapi(routes.end, async (c) => {
      const { session } = c.req.valid('param')
      const run = await orchestrator.describe(filesWorkflowId(session))
      if (run === undefined) throw new HoldfastError('NotFound', `there is no file session ${session}`)
      const by = { user: c.var.identity.user, reason: c.req.valid('json').reason }
      await orchestrator.update(run, endFilesUpdate, by, newRequestId())
      live.nudge()
      return c.json(accepted(run), 202)
    })
}

const told = 'files of a point were taken'
const toldDisk = 'a disk of a point was taken'
/** Of an archive's places so many are told one by one. */
const mostTold = 20
const archiveTypes = { tar: 'application/x-tar', zip: 'application/zip' } as const
const binary = 'application/octet-stream'

/** What cannot be written down is not handed out, and nothing is left open for it. */
async function written({ body }: FileStream, writing: Promise<void>): Promise<void> {
  try {
    await writing
  } catch (error) {
    await body[Symbol.asyncIterator]().return?.()
    throw error
  }
}

/** Content of a guest is never a page of ours: it is saved, not shown. */
function answer(
  size: number | null,
  body: ReadableStream<Uint8Array<ArrayBuffer>> | null,
  type: string,
  name: string,
): Response {
  const plain = name.replaceAll(/[^A-Za-z0-9._ -]/g, '_')
  return new Response(body, {
    headers: {
      'content-type': type,
      'content-disposition': `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`,
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      ...(size !== null && { 'content-length': String(size) }),
    },
  })
}
