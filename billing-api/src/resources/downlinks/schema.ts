import { type CommandKind, CreditParameters, type NoParameters, ValveParameters } from '@endeks/domain/wire'
import Type, { type Static, type TSchema } from 'typebox'
import { Cursor, Id, Instant, Limit, Page, strict } from '../shared.js'

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength })
const orNull = <Value extends TSchema>(value: Value) => Type.Union([value, Type.Null()])

/** To whom: the meter, what stands at a service point, or what answers at a place. One of the three. */
const target = {
  meter: Type.Optional(Id),
  servicePoint: Type.Optional(Text(64)),
  place: Type.Optional(Type.Object({ gateway: Text(32), bus: Text(64), address: Text(64) }, strict))
} as const

/** A week at most: what could not be delivered for so long is better asked for again than done as a surprise. */
const deadlineMinutes = Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080, default: 10 }))

/** One route a kind, as each has a right and parameters of its own. */
export const NewDownlink = {
  'read-now': Type.Object({ ...target, deadlineMinutes }, strict),
  'set-clock': Type.Object({ ...target, deadlineMinutes }, strict),
  valve: Type.Object({ ...target, deadlineMinutes, parameters: ValveParameters }, strict),
  credit: Type.Object({ ...target, deadlineMinutes, parameters: CreditParameters }, strict)
} as const satisfies Record<CommandKind, TSchema>
export type NewDownlink = Static<(typeof NewDownlink)['read-now']> & {
  readonly parameters?: Static<typeof ValveParameters> | Static<typeof CreditParameters> | Static<typeof NoParameters>
}

const Effect = Type.Union([Type.Literal('done'), Type.Literal('none'), Type.Literal('unclear')], {
  description: 'what is known of whether it was done; an answer that comes after the end changes this, not the state'
})

export const Downlink = Type.Object({
  id: Id,
  meter: orNull(Id),
  serial: orNull(Type.String()),
  servicePoint: Type.String(),
  gateway: Type.String(),
  bus: Type.String(),
  address: Type.String(),
  kind: Type.String({ examples: ['read-now', 'set-clock', 'valve', 'credit'] }),
  parameters: Type.Record(Type.String(), Type.String()),
  requestedBy: Type.String(),
  requestedAt: Instant,
  deadline: Instant,
  state: Type.Union([Type.Literal('queued'), Type.Literal('sent'), Type.Literal('done'), Type.Literal('failed'), Type.Literal('expired')]),
  effect: orNull(Effect),
  attempts: Type.Integer(),
  sentAt: orNull(Instant),
  finishedAt: orNull(Instant),
  result: orNull(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
  /** of this product or of a protocol */
  code: orNull(Type.String()),
  message: orNull(Type.String()),
  /** the answer that came after the end */
  late: orNull(
    Type.Object({
      effect: Effect,
      code: orNull(Type.String()),
      message: orNull(Type.String()),
      receivedAt: Instant
    })
  )
})
export type Downlink = Static<typeof Downlink>
export const DownlinkPage = Page(Downlink)

export const DownlinkQuery = Type.Object(
  { meter: Type.Optional(Id), gateway: Type.Optional(Text(32)), cursor: Cursor, limit: Limit },
  strict
)
export const DownlinkParams = Type.Object({ id: Id }, strict)
