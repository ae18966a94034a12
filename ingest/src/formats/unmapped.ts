import { gatewayId } from '@endeks/domain/identifiers'
import type { EpochMs } from '@endeks/domain/time'
import type { ForeignValue } from './book.js'
import { ForeignGateway, type GatewayFormat, type KeptKey, keyRowOf } from './foreign-gateway.js'
import { foreignFormatOf } from './known.js'
import { Births } from './sparkplug/births.js'

/** Of a number; no longer one is a reading. */
const mostShown = 64

/** A message as a dead letter keeps it. */
export interface KeptMessage {
  readonly gateway: string
  readonly topic: string
  readonly payload: Buffer
  readonly receivedAt: EpochMs
  /** the text that was kept with it */
  readonly readWith?: string
}

/** What is entered of a gateway now. */
export interface Mapping {
  readonly format: GatewayFormat
  readonly keys: readonly KeptKey[]
}

/** A number under a key of which nobody has said what it is. */
export interface UnmappedKey {
  readonly device: string
  readonly key: string
  /** as it was written, as far as it can be a reading */
  readonly value: string
  /** as the message names it */
  readonly unit?: string
}

/** What of a message still would be refused as unmapped, by what is entered now; nothing of one that is refused as a whole. */
export function unmappedIn(message: KeptMessage, { format: spoken, keys }: Mapping): UnmappedKey[] {
  const format = foreignFormatOf(message.topic)
  if (format?.name !== spoken) return []
  const births = new Births()
  const foreign = { gateway: gatewayId(message.gateway), topic: message.topic, payload: message.payload }
  if (message.readWith !== undefined) format.recall?.(foreign, message.readWith, births)
  const gateway = new ForeignGateway(spoken, keys.map(keyRowOf), new Map())
  const context = { gateway, births, receivedAt: message.receivedAt, gap: () => undefined, isStored: () => false }
  return (format.read(foreign, context).unmapped ?? []).flatMap(({ device, value }) => unmappedKey(device, value))
}

function unmappedKey(device: string, { key, value, unit }: ForeignValue): UnmappedKey[] {
  if ('other' in value) return []
  return [{ device, key, value: value.literal.slice(0, mostShown), ...(unit === undefined ? {} : { unit }) }]
}
