import Type, { type Static } from 'typebox'
import { type LinePlace, lineFields, namesOnePlace, onePlace, placeOf } from '../../line/index.js'
import { DlmsFault } from './codec/fault.js'
import type { HdlcAddress } from './codec/hdlc-fields.js'
import { publicClientPort } from './codec/wrapper.js'

const framings = ['wrapper', 'hdlc'] as const
const scannedAtMost = 1_000

const BusFields = Type.Object(
  {
    ...lineFields,
    framing: Type.Optional(
      Type.Enum([...framings], { description: 'wrapper on a TCP place, hdlc on a serial port, unless said otherwise' })
    ),
    clientId: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65535, description: 'this client where a profile names no association; 16, the public one' })
    ),
    systemTitle: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f]{16}$',
        description: 'system title of this client, 8 bytes in hex; two gateways that read meters with the same keys need two of them'
      })
    ),
    addressBytes: Type.Optional(Type.Enum([1, 2, 4], { description: 'size of HDLC addresses of meters; as small as they fit' })),
    maxInformation: Type.Optional(
      Type.Integer({ minimum: 16, maximum: 2030, description: 'longest information field of HDLC that is proposed, 512' })
    ),
    window: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 7, description: 'HDLC frames without acknowledgement that are proposed, 1' })
    ),
    scan: Type.Optional(
      Type.Object(
        { from: Type.Integer({ minimum: 1, maximum: 16383 }), to: Type.Integer({ minimum: 1, maximum: 16383 }) },
        {
          additionalProperties: false,
          description: 'addresses that a scan tries, at most 1000: wPorts, 1 to 127; lower HDLC addresses, 16 to 125'
        }
      )
    ),
    attempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, description: 'conversations tried before a read fails, 2' })),
    conversationWithinMs: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 3_600_000, description: 'longest conversation with a meter, 15 minutes' })
    ),
    connectWithinMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000, description: 'longest wait for the connection, 5000' }))
  },
  { additionalProperties: false }
)

/** A line with one meter, or with several: behind a concentrator by their wPorts, on a bus by their HDLC addresses. */
export const busSchema = Type.Refine(
  Type.Refine(BusFields, namesOnePlace, () => onePlace),
  ({ scan }) => scan === undefined || (scan.from <= scan.to && scan.to - scan.from < scannedAtMost),
  () => `has a scan that goes from its first address to its last, at most ${scannedAtMost}`
)

/** A bus entry with all that it leaves out. */
export interface BusSettings {
  readonly place: LinePlace
  readonly framing: (typeof framings)[number]
  readonly clientId: number
  readonly title: Uint8Array
  readonly addressBytes: 1 | 2 | 4 | undefined
  readonly maxInformation: number
  readonly window: number
  readonly scan: { readonly from: number; readonly to: number }
  readonly attempts: number
  readonly connectWithinMs: number
  readonly conversationWithinMs: number
  /** longest wait for one answer where the site says nothing; on a serial line beside the time that the bytes take */
  readonly answerWithinMs: number
}

/** "END" and five bytes: a title begins with three letters of its maker (Green Book 4.3.4). */
const ownTitle = '454e440000000001'
/** Addresses of meters on a bus: below are those that the standard keeps, above are calling and broadcast (IEC 62056-46, 6.4.2.3). */
const usualScans = { wrapper: { from: 1, to: 127 }, hdlc: { from: 16, to: 125 } } as const

/**
 * IEC 62056-46 has the response time-out follow from what a meter needs to begin and from the longest frame each way, which
 * `HdlcLink` adds where it knows the line's speed. A meter begins within 1.5 s (the reaction time of IEC 62056-21). Behind a
 * network neither its delay is known nor, at a converter, the speed of the line.
 */
const reactionMs = 1_500
const overNetworkMs = 3_000

/** @throws {TypeError} for an entry without one place: the site file was checked for that */
export function settingsOf(bus: Static<typeof busSchema>): BusSettings {
  const place = placeOf(bus, { parity: 'none', dataBits: 8, stopBits: 1 })
  if (place === undefined) throw new TypeError('a DLMS bus needs either host and port, or serial')
  const framing = bus.framing ?? (place.kind === 'serial' ? 'hdlc' : 'wrapper')
  return {
    place,
    framing,
    clientId: bus.clientId ?? publicClientPort,
    title: Buffer.from(bus.systemTitle ?? ownTitle, 'hex'),
    addressBytes: bus.addressBytes,
    maxInformation: bus.maxInformation ?? 512,
    window: bus.window ?? 1,
    scan: bus.scan ?? usualScans[framing],
    attempts: bus.attempts ?? 2,
    conversationWithinMs: bus.conversationWithinMs ?? 900_000,
    answerWithinMs: framing === 'hdlc' && place.kind === 'serial' ? reactionMs : overNetworkMs,
    connectWithinMs: bus.connectWithinMs ?? 5000
  }
}

/** A wPort, "1"; or an HDLC address, upper (logical device) and lower (physical device): "1/17", "1" alone for one of one byte. */
export const addressPattern = /^[1-9]\d{0,4}(\/[1-9]\d{0,4})?$/

/** A server's wPort. @throws {DlmsFault} DLMS_ADDRESS */
export function wrapperAddress(address: string): number {
  const port = /^[1-9]\d{0,4}$/.test(address) ? Number(address) : Number.NaN
  if (!(port >= 1 && port <= 0xffff)) throw new DlmsFault('DLMS_ADDRESS', `"${address.slice(0, 20)}" is not a wPort from 1 to 65535`)
  return port
}

/** A server's HDLC address, in as few bytes as it takes unless the bus says otherwise. @throws {DlmsFault} DLMS_ADDRESS */
export function hdlcAddress(address: string, bytes: 1 | 2 | 4 | undefined): HdlcAddress {
  const [upper = 0, lower] = addressPattern.test(address) ? address.split('/').map(Number) : []
  const size = bytes ?? smallest(upper, lower)
  const limit = size === 4 ? 0x3fff : 0x7f
  const fits = upper >= 1 && upper <= limit && (lower === undefined ? size === 1 : size !== 1 && lower <= limit)
  if (!fits)
    throw new DlmsFault(
      'DLMS_ADDRESS',
      `"${address.slice(0, 20)}" is not an HDLC address of ${size} bytes such as ${size === 1 ? '1' : '1/17'}`
    )
  return size === 1 || lower === undefined ? { size: 1, upper } : { size, upper, lower }
}

function smallest(upper: number, lower: number | undefined): 1 | 2 | 4 {
  if (lower === undefined) return 1
  return upper > 0x7f || lower > 0x7f ? 4 : 2
}

/** A client's HDLC address: one byte. @throws {DlmsFault} DLMS_ADDRESS */
export function hdlcClient(client: number): HdlcAddress {
  if (client > 0x7f) throw new DlmsFault('DLMS_ADDRESS', `client ${client} has no HDLC address: 127 is the highest`)
  return { size: 1, upper: client }
}
