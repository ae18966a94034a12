import Type, { type Static, type TSchema } from 'typebox'

const strict = { additionalProperties: false } as const
const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?(Z|[+-]\\d{2}:\\d{2})$' })
const ByteCount = Type.Integer({ minimum: 1, maximum: 4096 })
const WaitMs = Type.Integer({ minimum: 1, maximum: 600_000 })

/** When a fault strikes: always, unless told. `every` and `chance` count the answers of one meter, or all of a bus. */
const schedule = {
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  /** at the n-th answer and each n-th after it */
  every: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  /** at this share of the answers */
  chance: Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 1 }))
} as const

/** What a line does to the bytes of an answer, whatever protocol they are of. */
const lineFaults = [
  /** random bytes where nobody sent any */
  Type.Object({ type: Type.Literal('noise'), place: Type.Enum(['before', 'inside', 'after']), bytes: ByteCount, ...schedule }, strict),
  Type.Object({ type: Type.Literal('lost'), bytes: ByteCount, ...schedule }, strict),
  Type.Object({ type: Type.Literal('doubled'), bytes: ByteCount, ...schedule }, strict),
  Type.Object({ type: Type.Literal('flipped'), bits: ByteCount, ...schedule }, strict),
  /** beyond the master's patience this answer comes into the next exchange */
  Type.Object({ type: Type.Literal('late'), byMs: WaitMs, ...schedule }, strict),
  /** what another meter of the bus last answered comes instead; silence where none has answered yet */
  Type.Object({ type: Type.Literal('foreign'), address: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })), ...schedule }, strict),
  /** the request comes back before the answer */
  Type.Object({ type: Type.Literal('echo'), ...schedule }, strict),
  /** the second half never comes, or long after the first */
  Type.Object({ type: Type.Literal('half'), restAfterMs: Type.Optional(WaitMs), ...schedule }, strict),
  Type.Object({ type: Type.Literal('silence'), ...schedule }, strict),
  /** never stops sending, from an answer on until the connection ends */
  Type.Object({ type: Type.Literal('babble'), bytesPerSecond: Type.Integer({ minimum: 1, maximum: 1_000_000 }), ...schedule }, strict)
] as const

/** What is wrong with a meter itself; its answers are whole. */
const meterFaults = [
  /** its clock runs ahead, or behind for a negative figure, since it was last set: when it was mounted unless told */
  Type.Object(
    {
      type: Type.Literal('clock-drift'),
      secondsPerDay: Type.Integer({ minimum: -43_200, maximum: 43_200 }),
      setAt: Type.Optional(Instant)
    },
    strict
  ),
  /** from then on another meter stands at the address, and nobody was told */
  Type.Object(
    {
      type: Type.Literal('exchanged'),
      at: Instant,
      serial: Type.String({ pattern: '^[\\x21-\\x7e]{1,32}$' }),
      manufacturer: Type.Optional(Type.String({ pattern: '^[A-Z]{3}$' })),
      version: Type.Optional(Type.Integer({ minimum: 0, maximum: 255 })),
      initialIndex: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })
    },
    strict
  ),
  /** an index of nothing but Fs, or stored values of 31 February */
  Type.Object({ type: Type.Literal('lie'), about: Type.Enum(['index', 'date']), ...schedule }, strict),
  /** encrypts with another key than its `key` */
  Type.Object({ type: Type.Literal('wrong-key'), ...schedule }, strict),
  /** answers with an error of its application instead of data */
  Type.Object({ type: Type.Literal('application-error'), code: Type.Integer({ minimum: 0, maximum: 255 }), ...schedule }, strict)
] as const

export type LineFault = Static<(typeof lineFaults)[number]>
export type MeterFault = Static<(typeof meterFaults)[number]>
export type Fault = LineFault | MeterFault
export type Schedule = { readonly [key in 'from' | 'to']?: string } & { readonly [key in 'every' | 'chance']?: number }

/** Each fault's own schema, so that a wrong one is told what is wrong with it and not with all the others. */
export const faultSchemas: ReadonlyMap<string, TSchema> = new Map(
  [...lineFaults, ...meterFaults].map((each) => [each.properties.type.const, each])
)
const lineTypes: ReadonlySet<string> = new Set(lineFaults.map((each) => each.properties.type.const))

/** A fault by its type alone: hold it against the schema that `faultSchemas` has for it. */
export const FaultSchema = Type.Unsafe<Fault>(Type.Object({ type: Type.Enum([...faultSchemas.keys()]) }))
export const LineFaultSchema = Type.Unsafe<LineFault>(Type.Object({ type: Type.Enum([...lineTypes]) }))

export function isLineFault(fault: Fault): fault is LineFault {
  return lineTypes.has(fault.type)
}
