import Type, { type Static } from 'typebox'
import { keyNamePattern } from '../keys/key-file/index.js'

const strict = { additionalProperties: false } as const
const Name = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' })

const Meter = Type.Object(
  {
    /** in the form that the bus's protocol has for addresses */
    address: Type.String({ minLength: 1, maxLength: 64 }),
    profile: Name,
    /** the name under which its keys were imported */
    key: Type.Optional(Type.String({ pattern: keyNamePattern })),
    /** without one, only stored values are read */
    schedule: Type.Optional(Name),
    /** a date of the site's zone: values that the meter stored from then on are read and delivered */
    historySince: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$' }))
  },
  strict
)

/** What every bus has; where it is and how it is opened is its protocol's `busSchema`. */
const Bus = Type.Object({
  name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }),
  protocol: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
  /** longest wait for one answer; without it what the protocol's standard says for the line */
  answerWithinMs: Type.Optional(Type.Integer({ minimum: 10, maximum: 60_000 })),
  meters: Type.Array(Meter, { maxItems: 10_000 })
})

const Schedule = Type.Object({ everyMs: Type.Integer({ minimum: 1_000, maximum: 31 * 86_400_000 }) }, strict)

const FilePath = Type.String({ minLength: 1, maxLength: 500 })

/** Files of the connection to the broker (PEM), relative to the site file; read at each connection anew. */
const Tls = Type.Object(
  {
    /** of the authority that signed the broker's certificate; without it those that the system trusts */
    ca: Type.Optional(FilePath),
    /** the gateway's own; with it no password is needed */
    certificate: Type.Optional(FilePath),
    key: Type.Optional(FilePath)
  },
  strict
)

const Uplink = Type.Object(
  {
    /** how fast what had piled up is sent, beside live values, which do not wait */
    replay: Type.Optional(
      Type.Object(
        {
          messagesPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
          bytesPerSecond: Type.Optional(Type.Integer({ minimum: 1_024, maximum: 1_073_741_824 }))
        },
        strict
      )
    ),
    reconnect: Type.Optional(
      Type.Object(
        {
          /** the first attempt after a connection that worked */
          firstWithinMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
          /** all further ones where the broker is gone */
          withinMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 }))
        },
        strict
      )
    )
  },
  strict
)

/** A gateway's site file: which meters hang on which buses, and how often they are read. */
export const GatewaySiteSchema = Type.Object(
  {
    gateway: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$' }),
    /** IANA zone of the meters' clocks and of dates in this file */
    zone: Type.String({ minLength: 1, maxLength: 64 }),
    mqtt: Type.Object({ url: Type.String({ pattern: '^mqtts?://[^\\s@]{1,255}$' }), tls: Type.Optional(Tls) }, strict),
    uplink: Type.Optional(Uplink),
    schedules: Type.Record(Name, Schedule),
    buses: Type.Array(Bus, { minItems: 1, maxItems: 256 }),
    spool: Type.Optional(
      Type.Object(
        {
          /** beyond it the oldest unacknowledged messages are lost, counted and logged */
          maxBytes: Type.Optional(Type.Integer({ minimum: 1_048_576, maximum: 1_099_511_627_776 }))
        },
        strict
      )
    ),
    /** further profiles, relative to this file */
    profileDirectory: Type.Optional(Type.String({ minLength: 1, maxLength: 500 }))
  },
  strict
)
export type GatewaySiteFile = Static<typeof GatewaySiteSchema>
