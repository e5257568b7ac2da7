import { HoldfastError } from '../../base/index.ts'
import type { Environment } from '../config.ts'

export interface TracingConfig {
  /** Where ended runs are told, as OTLP over HTTP. */
  readonly url: string
  /** May hold a token: never in a log. */
  readonly headers: { readonly [name: string]: string }
  /** Of whoever tells: `service.name` and what else was said. */
  readonly resource: { readonly [name: string]: string }
}

/**
 * As OpenTelemetry's variables say it (`OTEL_EXPORTER_OTLP_ENDPOINT` and its kin); null: nothing is told, which is the
 * default. Throws ConfigInvalid for what cannot be done.
 */
export function tracingConfig(env: Environment): TracingConfig | null {
  const of = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined
  const own = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT']
  const endpoint = own || (base ? `${base.replace(/\/+$/, '')}/v1/traces` : '')
  if (endpoint === '' || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return null
  const url = URL.parse(endpoint)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new HoldfastError('ConfigInvalid', 'the endpoint for traces is no address that begins with http', {
      hint: 'Set OTEL_EXPORTER_OTLP_ENDPOINT to the HTTP port of a collector, such as http://127.0.0.1:4318.',
    })
  const protocol = of('PROTOCOL') ?? 'http/json'
  if (protocol !== 'http/json')
    throw new HoldfastError('ConfigInvalid', `traces cannot be sent by ${protocol}`, {
      hint: 'Leave OTEL_EXPORTER_OTLP_PROTOCOL out, or set it to http/json: collectors take it on the same port.',
    })
  const { 'service.name': named, ...resource } = pairsOf(env['OTEL_RESOURCE_ATTRIBUTES'])
  return {
    url: url.href,
    headers: pairsOf(of('HEADERS')),
    resource: { 'service.name': env['OTEL_SERVICE_NAME'] || named || 'holdfast', ...resource },
  }
}

/** `name=value,name=value`, values percent-encoded. */
function pairsOf(text = ''): { readonly [name: string]: string } {
  return Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const at = pair.indexOf('=')
      return at < 1 ? [] : [[pair.slice(0, at).trim(), decoded(pair.slice(at + 1).trim())]]
    }),
  )
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
