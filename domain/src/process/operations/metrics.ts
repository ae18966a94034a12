import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { AppError } from '../../errors/catalogue.js'

/** One value of a metric; labels tell it from its siblings. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

export function one(value: number): Sample[] {
  return [{ value }]
}

/** A value for each name, told apart by one label. */
export function by(label: string, values: Readonly<Partial<Record<string, number>>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value: value ?? 0 }))
}

/** Reads a metric when somebody looks: nothing is computed for nobody. */
export type Reading = () => readonly Sample[] | Promise<readonly Sample[]>

export interface MetricWords {
  /** `endeks_` and the unit last, as Prometheus has it */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** A value that can't be had in this time is left out of the answer. */
const readWithinMs = 2_000

/** What a process shows of itself in Prometheus's text format, with what Node.js tells of memory, CPU and event loop. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #unread: Counter

  constructor(service: string) {
    this.#registry.setDefaultLabels({ service })
    collectDefaultMetrics({ register: this.#registry })
    const name = 'endeks_metrics_unread_total'
    this.#unread = new Counter({ name, help: 'metrics that could not be read when somebody looked', registers: [this.#registry] })
  }

  /** A total that grows from the start of the process. */
  total(words: MetricWords, read: Reading): void {
    const counter: Counter = new Counter({
      ...this.#words(words),
      collect: () =>
        this.#collect(
          read,
          ({ labels = {}, value }) => counter.inc(labels, value),
          () => forget(counter, words)
        )
    })
  }

  /** A value that rises and falls. */
  level(words: MetricWords, read: Reading): void {
    const gauge: Gauge = new Gauge({
      ...this.#words(words),
      collect: () =>
        this.#collect(
          read,
          ({ labels = {}, value }) => gauge.set(labels, value),
          () => forget(gauge, words)
        )
    })
  }

  /** Durations by how many took at most so many seconds. @returns what is told of each */
  durations(words: MetricWords, atMostSeconds: readonly number[]): (seconds: number, labels?: Readonly<Record<string, string>>) => void {
    const histogram = new Histogram({ ...this.#words(words), buckets: [...atMostSeconds] })
    return (seconds, labels = {}) => histogram.observe(labels, seconds)
  }

  async text(): Promise<{ readonly type: string; readonly body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() }
  }

  #words({ name, help, labels = [] }: MetricWords) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] }
  }

  /** What can't be read is counted and left out: the others are wanted most when something is wrong. */
  async #collect(read: Reading, put: (sample: Sample) => void, clear: () => void): Promise<void> {
    const samples = await withinTime(readWithinMs, async () => read()).catch(() => undefined)
    clear()
    if (samples === undefined) this.#unread.inc()
    for (const sample of samples ?? []) put(sample)
  }
}

/** Without labels, a reset would leave a zero, which is a value like any other. */
function forget(metric: Counter | Gauge, { labels = [] }: MetricWords): void {
  metric.reset()
  if (labels.length === 0) metric.remove()
}

/** @throws whatever `work` throws, or {AppError} TIMEOUT */
export async function withinTime<Value>(milliseconds: number, work: () => Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('TIMEOUT', `no answer within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([work(), over]).finally(() => clearTimeout(timer))
}
