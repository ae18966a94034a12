import Type, { type Static } from 'typebox'

export const wireVersion = 1

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$' })
const Base64 = Type.String({ pattern: '^[A-Za-z0-9+/]*={0,2}$', maxLength: 350_000 })
const Instant = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })
/** a new epoch begins with a new spool: sequences count from 1 in each */
const Epoch = Type.String({ pattern: '^[0-9a-f]{8,32}$' })
const LaneSchema = Type.Union([Type.Literal('live'), Type.Literal('backlog')])
const Sequence = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
const strict = { additionalProperties: false } as const

/**
 * One conversation with one device. It names the connection (bus and address; the gateway is the topic) and what the device
 * called itself, never a register: which meter that is, the receiver decides by what is installed there.
 */
export const WireExchangeSchema = Type.Object(
  {
    bus: Type.String({ minLength: 1, maxLength: 64 }),
    address: Type.String({ minLength: 1, maxLength: 64 }),
    protocol: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
    identity: Type.Object(
      {
        id: Type.String({ minLength: 1, maxLength: 64 }),
        manufacturer: Type.Optional(Type.String({ maxLength: 64 })),
        version: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
        medium: Type.Optional(Type.String({ maxLength: 32 }))
      },
      strict
    ),
    /** SHA-256 of the profile's canonical JSON, announced on the `profiles` topic */
    profile: Hash,
    /** 0 where the device was read without a key */
    keyVersion: Type.Integer({ minimum: 0, maximum: 2_147_483_647 }),
    /** IANA zone in which the device's clock counts */
    zone: Type.String({ minLength: 1, maxLength: 64 }),
    /** the gateway's clock when the answer was complete */
    at: Instant,
    request: Base64,
    response: Base64,
    /** SHA-256 of the request bytes followed by the response bytes */
    sha256: Hash
  },
  strict
)
export type WireExchange = Static<typeof WireExchangeSchema>

const column = <Item extends Type.TSchema>(item: Item) => Type.Array(item, { maxItems: 10_000 })

/** Readings by column: entry n of every column is one reading, and `exchange` is its evidence's place in `exchanges`. */
export const ReadingsMessageSchema = Type.Object(
  {
    v: Type.Literal(wireVersion),
    epoch: Epoch,
    lane: LaneSchema,
    sequence: Sequence,
    exchanges: Type.Array(WireExchangeSchema, { minItems: 1, maxItems: 1_000 }),
    readings: Type.Object(
      {
        exchange: column(Type.Integer({ minimum: 0, maximum: 999 })),
        obis: column(Type.String({ pattern: '^\\d{1,3}-\\d{1,3}:\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\*\\d{1,3}$' })),
        at: column(Instant),
        /** the meter's integer, as decimal text: it may be wider than a double */
        raw: column(Type.String({ pattern: '^-?\\d{1,18}$' })),
        scaler: column(Type.Integer({ minimum: -12, maximum: 12 })),
        unit: column(Type.String({ minLength: 1, maxLength: 8 })),
        status: column(Type.Integer({ minimum: 0, maximum: 2_147_483_647 }))
      },
      strict
    )
  },
  strict
)
export type ReadingsMessage = Static<typeof ReadingsMessageSchema>

/** A profile's whole text, so that evidence can be decoded again when the profile that shipped has long changed. */
export const ProfileMessageSchema = Type.Object(
  {
    v: Type.Literal(wireVersion),
    hash: Hash,
    /** canonical JSON; its SHA-256 is `hash` */
    content: Type.String({ minLength: 2, maxLength: 200_000 })
  },
  strict
)
export type ProfileMessage = Static<typeof ProfileMessageSchema>

/**
 * Messages that a gateway had to give up before they were acknowledged: numbers that ingest will never see. Published like any
 * message and acknowledged once the declaration is stored, so that a gap is open, filled or declared, never a riddle.
 */
export const LossMessageSchema = Type.Object(
  {
    v: Type.Literal(wireVersion),
    epoch: Epoch,
    lane: LaneSchema,
    /** both inclusive */
    first: Sequence,
    last: Sequence,
    /** how many readings were in them */
    readings: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    reason: Type.Literal('spool-limit')
  },
  strict
)
export type LossMessage = Static<typeof LossMessageSchema>

/** The bytes that an exchange's hash covers. */
export function evidenceBytes(request: Uint8Array, response: Uint8Array): Uint8Array {
  const joined = new Uint8Array(request.length + response.length)
  joined.set(request, 0)
  joined.set(response, request.length)
  return joined
}
