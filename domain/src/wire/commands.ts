import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import type { AppError } from '../errors/catalogue.js'
import type { Result } from '../result/index.js'
import { wireVersion } from './messages.js'
import { checked, parseJson } from './parse.js'

const strict = { additionalProperties: false } as const
const Instant = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 })
/** Made where the command is kept: a gateway remembers it, and a number would mean another command after a database began anew. */
const CommandId = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })

/** What a meter can be told. */
export const commandKinds = ['read-now', 'set-clock', 'valve', 'credit'] as const
export type CommandKind = (typeof commandKinds)[number]

/** Of whom a repetition changes nothing that the first time did not: the meter is read again, the clock is set again. */
export const repeatableKinds: ReadonlySet<CommandKind> = new Set(['read-now', 'set-clock'])

/** What meters of a protocol do that its standard says how to ask for; anything else is said by a profile's `commands`. */
const standardKinds: Readonly<Record<string, readonly CommandKind[]>> = { dlms: ['set-clock', 'valve'], mbus: ['set-clock'] }

/** Whether there is a way to ask it of a meter that is read with such a profile. Whether the meter does it, it says itself. */
export function isDeclared(kind: CommandKind, { protocol, profile }: { readonly protocol: string; readonly profile: unknown }): boolean {
  if (kind === 'read-now' || standardKinds[protocol]?.includes(kind) === true) return true
  if (typeof profile !== 'object' || profile === null || !('commands' in profile)) return false
  const { commands } = profile
  return typeof commands === 'object' && commands !== null && Object.hasOwn(commands, kind)
}

export const NoParameters = Type.Object({}, strict)
export const ValveParameters = Type.Object({ position: Type.Union([Type.Literal('open'), Type.Literal('closed')]) }, strict)
/** Exact: how many digits a meter takes, its profile says. What the unit may be, a prepaid meter of volumes or of money, too. */
export const CreditParameters = Type.Object(
  {
    amount: Type.String({ pattern: '^\\d{1,12}(\\.\\d{1,6})?$' }),
    unit: Type.String({ pattern: '^[A-Za-z0-9]{1,8}$' })
  },
  strict
)

const head = {
  v: Type.Literal(wireVersion),
  id: CommandId,
  bus: Type.String({ minLength: 1, maxLength: 64 }),
  address: Type.String({ minLength: 1, maxLength: 64 }),
  /** Who must stand there, its number as printed. Whoever moves a valve asks the meter first: another one may have been mounted. */
  device: Type.Optional(
    Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }), manufacturer: Type.Optional(Type.String({ maxLength: 64 })) }, strict)
  ),
  /** the login of whoever asked */
  requestedBy: Type.Optional(Type.String({ maxLength: 200 })),
  /** the sender's clock when this message left: what is left until the deadline can be told without trusting the receiver's clock */
  issuedAt: Instant,
  /** nobody begins to execute it from here on */
  deadline: Instant
} as const

const command = <Kind extends CommandKind, Parameters extends Type.TSchema>(kind: Kind, parameters: Parameters) =>
  Type.Object({ ...head, kind: Type.Literal(kind), parameters }, strict)

/** A command to one meter of a gateway, on its topic `cmd`. It may come more than once; `id` tells that it is the same. */
export const CommandMessageSchema = Type.Union([
  command('read-now', NoParameters),
  command('set-clock', NoParameters),
  command('valve', ValveParameters),
  command('credit', CreditParameters)
])
export type CommandMessage = Static<typeof CommandMessageSchema>

/**
 * - `done`: the meter did it
 * - `rejected`: it was surely not done: the meter was not told, or refused it
 * - `failed`: whether it was done is not known
 */
export const ackStates = ['done', 'failed', 'rejected'] as const
export type AckState = (typeof ackStates)[number]

const ResultValue = Type.Union([Type.String({ maxLength: 200 }), Type.Number(), Type.Boolean()])

/** What became of a command, on the gateway's topic `ack`. Sent until it is acknowledged, and again whenever the command comes again. */
export const AckMessageSchema = Type.Object(
  {
    v: Type.Literal(wireVersion),
    id: CommandId,
    state: Type.Enum([...ackStates]),
    /** of this product or of a protocol, such as DLMS_ACCESS; there is one unless it was done */
    code: Type.Optional(Type.String({ pattern: '^[A-Z][A-Z0-9_]{0,63}$' })),
    message: Type.Optional(Type.String({ maxLength: 1_000 })),
    /** such as how many readings were taken, or where the valve stands */
    result: Type.Optional(Type.Record(Type.String({ pattern: '^[a-z][A-Za-z]{0,31}$' }), ResultValue, { ...strict, maxProperties: 16 })),
    /** the gateway's clock when it was over */
    at: Instant
  },
  strict
)
export type AckMessage = Static<typeof AckMessageSchema>

const commandValidator = Compile(CommandMessageSchema)
const ackValidator = Compile(AckMessageSchema)

/** A command from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseCommandMessage(text: string): Result<CommandMessage, AppError> {
  return parseJson(text, commandValidator)
}

/** An answer to a command from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseAckMessage(text: string): Result<AckMessage, AppError> {
  return parseJson(text, ackValidator)
}

export function ackMessageOf(value: unknown): Result<AckMessage, AppError> {
  return checked(value, ackValidator)
}
