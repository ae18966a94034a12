import Type from 'typebox'
import { Compile } from 'typebox/compile'
import type { ForeignGateway, ReadingKey } from '../foreign-gateway.js'

/** What a birth certificate says of a metric: its name and how its values are to be read. */
export interface BornMetric {
  readonly name: string
  readonly datatype?: number
  readonly unit?: string
}

const Born = Type.Object({
  born: Type.Array(
    Type.Tuple([Type.String(), Type.String(), Type.Union([Type.Integer(), Type.Null()]), Type.Union([Type.String(), Type.Null()])])
  )
})
const bornValidator = Compile(Born)

/** The certificate of an edge node or of one device: its metrics by alias and by name. */
export class Birth {
  readonly byAlias = new Map<string, BornMetric>()
  readonly byName = new Map<string, BornMetric>()
  #readWith: { readonly gateway: ForeignGateway; readonly key: ReadingKey } | undefined

  add(metric: BornMetric, alias: bigint | undefined): void {
    this.byName.set(metric.name, metric)
    if (alias !== undefined) this.byAlias.set(alias.toString(), metric)
  }

  /** The certificate that `readWith` told of; an empty one for a text of another kind. */
  static recalled(readWith: string): Birth {
    const birth = new Birth()
    const told: unknown = JSON.parse(readWith)
    if (!bornValidator.Check(told)) return birth
    for (const [alias, name, datatype, unit] of told.born) {
      birth.add(
        { name, ...(datatype === null ? {} : { datatype }), ...(unit === null ? {} : { unit }) },
        alias === '' ? undefined : BigInt(alias)
      )
    }
    return birth
  }

  /** What messages under this certificate are read with: its aliases, and what was entered. Computed once for both. */
  readWith(gateway: ForeignGateway): ReadingKey {
    if (this.#readWith?.gateway !== gateway) {
      const entry = (alias: string, { name, datatype, unit }: BornMetric) => [alias, name, datatype ?? null, unit ?? null] as const
      const aliased = new Set(this.byAlias.values())
      const named = [...this.byName.values()].filter((metric) => !aliased.has(metric))
      const told = {
        born: [...[...this.byAlias].map(([alias, metric]) => entry(alias, metric)), ...named.map((metric) => entry('', metric))]
      }
      this.#readWith = { gateway, key: gateway.readingKeyWith(told) }
    }
    return this.#readWith.key
  }
}

export interface BirthLimits {
  /** of metrics of one edge node with its devices */
  readonly metricsOfNode: number
  /** of all edge nodes together; the one that was silent longest is forgotten, and asked again when it speaks */
  readonly metrics: number
}

export const defaultBirthLimits: BirthLimits = { metricsOfNode: 20_000, metrics: 500_000 }

interface EdgeNode {
  group: string
  /** of its last message: 0 to 255, then 0 again */
  seq: number | undefined
  metrics: number
  readonly births: Map<string, Birth>
  askedAt: number
}

const rounds = 256

/**
 * Birth certificates by gateway. They live as long as the process: an edge node that connects again is born again. Each gateway
 * is one edge node, so that no gateway can make another's be forgotten by inventing some.
 */
export class Births {
  readonly #limits: BirthLimits
  /** the one that spoke last is last */
  readonly #nodes = new Map<string, EdgeNode>()
  #metrics = 0

  constructor(limits: BirthLimits = defaultBirthLimits) {
    this.#limits = limits
  }

  find(gateway: string, group: string, device: string): Birth | undefined {
    const node = this.#nodes.get(gateway)
    return node?.group === group ? node.births.get(device) : undefined
  }

  /**
   * Keeps a certificate. That of the edge node itself ends all of its devices'.
   *
   * @returns false when it has more metrics than are kept
   */
  keep(gateway: string, group: string, device: string | undefined, birth: Birth): boolean {
    if (device === undefined) {
      const { askedAt } = this.#node(gateway, group)
      this.end(gateway)
      this.#node(gateway, group).askedAt = askedAt
    }
    const node = this.#node(gateway, group)
    const name = device ?? ''
    const before = node.births.get(name)?.byName.size ?? 0
    const metrics = node.metrics - before + birth.byName.size
    if (metrics > this.#limits.metricsOfNode) return false
    this.#metrics += metrics - node.metrics
    node.metrics = metrics
    node.births.set(name, birth)
    for (const [oldest] of this.#nodes) {
      if (this.#metrics <= this.#limits.metrics || oldest === gateway) break
      this.end(oldest)
    }
    return true
  }

  /** Forgets an edge node with its devices, or one of them. */
  end(gateway: string, device?: string): void {
    const node = this.#nodes.get(gateway)
    if (node === undefined) return
    const gone = device === undefined ? node.metrics : (node.births.get(device)?.byName.size ?? 0)
    this.#metrics -= gone
    node.metrics -= gone
    if (device === undefined) this.#nodes.delete(gateway)
    else node.births.delete(device)
  }

  /** @returns how many messages are missing before this one, as far as a number that goes round can tell; none if it is the last once more */
  follow(gateway: string, group: string, seq: number): number {
    const node = this.#node(gateway, group)
    const missing = node.seq === undefined || node.seq === seq ? 0 : (seq - node.seq - 1 + rounds) % rounds
    node.seq = seq
    return missing
  }

  /** Whether an edge node may be asked to be born again: not once more while it may still be answering. */
  mayAsk(gateway: string, group: string, now: number, pauseMs: number): boolean {
    const node = this.#node(gateway, group)
    if (now - node.askedAt < pauseMs) return false
    node.askedAt = now
    return true
  }

  #node(gateway: string, group: string): EdgeNode {
    let node = this.#nodes.get(gateway)
    if (node?.group !== group) {
      this.end(gateway)
      node = { group, seq: undefined, metrics: 0, births: new Map(), askedAt: Number.NEGATIVE_INFINITY }
    }
    this.#nodes.delete(gateway)
    this.#nodes.set(gateway, node)
    return node
  }
}
