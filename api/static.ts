import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import type { MiddlewareHandler } from 'hono'
import { HoldfastError } from '../base/index.ts'

const types: { readonly [extension: string]: string } = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
}

/**
 * The built dashboard: a single-page application, so every address that is no file is `index.html`. Hashed files are
 * kept for a year, everything else is asked about each time. The policy allows nothing from elsewhere; the page's own
 * inline script (SvelteKit's start) is allowed by its hash.
 */
export function serveDashboard(dir: string): MiddlewareHandler {
  const page = readIndex(dir)
  const policy = policyOf(page)
  return async (context, next) => {
    if (context.req.method !== 'GET' && context.req.method !== 'HEAD') return next()
    const path = fileOf(dir, context.req.path)
    const found =
      path !== undefined && extname(path) in types && !path.endsWith(`${sep}index.html`)
        ? await readIfThere(path)
        : undefined
    if (!found && context.req.path.startsWith('/_app/')) return next()
    const bytes = found ?? Buffer.from(page)
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    const headers = new Headers({
      'content-type': types[found && path ? extname(path) : '.html'] ?? 'application/octet-stream',
      'cache-control': context.req.path.startsWith('/_app/immutable/')
        ? 'public, max-age=31536000, immutable'
        : 'no-cache',
      etag,
      ...(found ? {} : { 'content-security-policy': policy }),
    })
    if (context.req.header('if-none-match') === etag) return new Response(null, { status: 304, headers })
    return new Response(context.req.method === 'HEAD' ? null : new Uint8Array(bytes), { headers })
  }
}

function readIndex(dir: string): string {
  try {
    return readFileSync(join(dir, 'index.html'), 'utf8')
  } catch (cause) {
    throw new HoldfastError('ConfigInvalid', `there is no built dashboard in ${dir}`, {
      cause,
      hint: 'Build it with `npm run setup`.',
    })
  }
}

/** Hashes of inline scripts, so that nothing else inline runs. */
export function policyOf(page: string): string {
  const inline = [...page.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script]) =>
      `'sha256-${createHash('sha256')
        .update(script ?? '')
        .digest('base64')}'`,
  )
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inline].join(' '),
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

/** Undefined for what would leave the folder. */
function fileOf(dir: string, path: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return undefined
  }
  if (decoded.includes('\0')) return undefined
  const full = normalize(join(dir, decoded))
  return full.startsWith(normalize(dir) + sep) ? full : undefined
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return (await stat(path)).isFile() ? await readFile(path) : undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw error
  }
}
