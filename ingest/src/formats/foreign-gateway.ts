import { createHash } from 'node:crypto'
import { isObis, type Obis } from '@endeks/domain/metering'
import { isMeterUnit, type MeterUnit } from '@endeks/domain/units'
import Type from 'typebox'
import { Compile } from 'typebox/compile'

/** The languages in which gateways may speak: ours, and those of other makers that are taken too. */
export const gatewayFormats = ['endeks', 'thingsboard', 'sparkplug'] as const
export type GatewayFormat = (typeof gatewayFormats)[number]

/** Which register a key of another maker's gateway stands for. */
export interface KeyMeaning {
  readonly obis: Obis
  /** undefined where only the message can say it */
  readonly unit?: MeterUnit
  /** of the register's least unit; undefined to keep every value as it was written */
  readonly scaler?: number
}

/** One row of what was entered for a gateway. */
export interface KeyRow {
  /** undefined for every device of the gateway */
  readonly device?: string
  /** as sent, or `*` for all that have no row of their own */
  readonly key: string
  /** undefined for a key that is no register: it is passed over */
  readonly meaning?: KeyMeaning
}

/** More keys, or devices, than this of one gateway are not read: what they would have said is refused as unknown, and kept. */
export const mostMappingRows = 10_000
const everyKey = '*'
const Device = Type.String()
const Key = Type.String()
/** What was entered of the keys and the devices, as the text that evidence is read with has it: a key of two is passed over. */
const entered = Compile(
  Type.Object({
    format: Type.String(),
    keys: Type.Array(
      Type.Union([
        Type.Tuple([Device, Key]),
        Type.Tuple([Device, Key, Type.String(), Type.Union([Type.String(), Type.Null()]), Type.Union([Type.Integer(), Type.Null()])])
      ])
    ),
    serials: Type.Optional(Type.Array(Type.Tuple([Device, Type.String()])))
  })
)
/** A key that says itself what it is: "8-0:1.0.0*255 m3". The unit may come with the value instead. */
const selfTold = /^(\S+?)(?: (\S+))?$/

/** How units are written by others. */
const otherSpellings: Readonly<Record<string, MeterUnit>> = { 'm³': 'm3', l: 'L', kwh: 'kWh', wh: 'Wh' }

export function unitOf(text: string): MeterUnit | undefined {
  return isMeterUnit(text) ? text : otherSpellings[text]
}

/** What is entered of a gateway that speaks another maker's language: what its keys mean and which meters its devices are. */
export class ForeignGateway {
  readonly format: GatewayFormat
  readonly #keys = new Map<string, KeyMeaning | 'passed-over'>()
  readonly #serials: ReadonlyMap<string, string>
  #readingKey: ReadingKey | undefined

  constructor(format: GatewayFormat, rows: readonly KeyRow[], serials: ReadonlyMap<string, string>) {
    this.format = format
    this.#serials = serials
    for (const { device = '', key, meaning } of rows) this.#keys.set(nameOf(device, key), meaning ?? 'passed-over')
  }

  /** What was entered when evidence was read with `content`. @returns undefined for a text that is none of this language's */
  static recalled(format: GatewayFormat, content: unknown): ForeignGateway | undefined {
    if (!entered.Check(content) || content.format !== format) return undefined
    const rows = content.keys.map(([device, key, obis, unit, scaler]) => keyRowOf({ device, key, obis, unit, scaler }))
    return new ForeignGateway(format, rows, new Map(content.serials))
  }

  /** @returns undefined for a key of which nobody has said what it is */
  meaningOf(device: string, key: string): KeyMeaning | 'passed-over' | undefined {
    return this.#keys.get(nameOf(device, key)) ?? this.#keys.get(nameOf('', key)) ?? this.#selfTold(key) ?? this.#others(device)
  }

  /** The number on the dial: as entered, or the device's own name. */
  serialOf(device: string): string {
    return this.#serials.get(device) ?? device
  }

  /** What messages of this gateway are read with: what was entered of its keys. */
  get readingKey(): ReadingKey {
    this.#readingKey ??= this.readingKeyWith({})
    return this.#readingKey
  }

  /** The same, with what the gateway itself has said of its keys. */
  readingKeyWith(told: Readonly<Record<string, unknown>>): ReadingKey {
    // In one order, so that it is the same text as long as it says the same.
    const keys = [...this.#keys]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, meaning]) => [...name.split('\n'), ...(meaning === 'passed-over' ? [] : [meaning.obis, meaning.unit, meaning.scaler])])
    const serials = [...this.#serials].sort(([one], [other]) => (one < other ? -1 : 1))
    const content = JSON.stringify({ format: this.format, ...told, keys, ...(serials.length === 0 ? {} : { serials }) })
    return { content, hash: createHash('sha256').update(content, 'utf8').digest() }
  }

  #selfTold(key: string): KeyMeaning | undefined {
    const [, code = '', unitText] = selfTold.exec(key) ?? []
    if (!isObis(code)) return undefined
    const unit = unitText === undefined ? undefined : unitOf(unitText)
    if (unitText !== undefined && unit === undefined) return undefined
    return { obis: code, ...(unit === undefined ? {} : { unit }) }
  }

  #others(device: string): KeyMeaning | 'passed-over' | undefined {
    return this.#keys.get(nameOf(device, everyKey)) ?? this.#keys.get(nameOf('', everyKey))
  }
}

/** A row as it is kept, in the columns of a table or in the text that evidence is read with. */
export interface KeptKey {
  /** null or empty for every device of the gateway */
  readonly device: string | null
  readonly key: string
  readonly obis?: string | null | undefined
  readonly unit?: string | null | undefined
  readonly scaler?: number | null | undefined
}

export function keyRowOf({ device, key, obis, unit, scaler }: KeptKey): KeyRow {
  const meaning = typeof obis === 'string' && isObis(obis) ? { obis } : undefined
  const told = typeof unit === 'string' && isMeterUnit(unit) ? { unit } : {}
  return {
    key,
    ...(device === null || device === '' ? {} : { device }),
    ...(meaning === undefined ? {} : { meaning: { ...meaning, ...told, ...(typeof scaler === 'number' ? { scaler } : {}) } })
  }
}

/** Names hold no control characters where they come from, and if one did, it would only fail to be found. */
function nameOf(device: string, key: string): string {
  return `${device}\n${key}`
}

/** The text that evidence is read with, and its hash: what a profile is to a protocol of ours. */
export interface ReadingKey {
  readonly content: string
  readonly hash: Buffer
}
