import { Registry, type Metric } from 'prom-client'

type Labels = { readonly [name: string]: string | number }

/** One metric with all its samples. Times in seconds, sizes in bytes. */
export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly samples: readonly Sample[]
}

export interface Sample {
  readonly labels: Labels
  readonly value: number
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string
}

/** In Prometheus' text format 0.0.4; escaping and the format of numbers are the client library's. */
export async function expose(families: readonly Family[]): Promise<{ readonly text: string; readonly type: string }> {
  const registry = new Registry()
  for (const family of families) registry.registerMetric(metricOf(family))
  return { text: await registry.metrics(), type: registry.contentType }
}

/** What a registry asks of a metric is its content; the library's own kinds count by themselves, and ours are counted. */
function metricOf({ name, help, type, samples }: Family): Metric {
  const values = samples.map(({ labels, value, suffix }) => ({
    labels,
    value,
    ...(suffix !== undefined && { metricName: `${name}${suffix}` }),
  }))
  const metric = { name, help, get: async () => ({ name, help, type, values, aggregator: 'sum' }) }
  return metric as unknown as Metric
}

export function one(name: string, help: string, value: number, labels: Labels = {}): Family {
  return { name, help, type: 'gauge', samples: [{ labels, value }] }
}

export function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'gauge', samples }
}

export function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, help, type: 'counter', samples }
}
