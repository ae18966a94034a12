import type { CommandHandler } from '@endeks/database/commands'
import { AppError } from '@endeks/domain/errors'
import { checkConfig } from '@endeks/domain/process'
import { type Clock, type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { CreditParameters, commandKinds, isDeclared, NoParameters, ValveParameters } from '@endeks/domain/wire'
import Type, { type Static } from 'typebox'
import { findTarget, lastReadWith, type Target } from '../store/downlink-places.js'
import { countOpen, enterDownlink } from '../store/downlinks.js'

export interface DownlinkDependencies {
  readonly clock: Clock
}

/** A command that nobody could deliver for so long is better asked for again than done as a surprise. */
const longestDeadlineMs = 7 * 86_400_000
/** Commands of one gateway that are not over yet. */
const mostOpen = 1_000

const Id = Type.Union([Type.String({ pattern: '^\\d{1,18}$' }), Type.Integer({ minimum: 0 })])
const strict = { additionalProperties: false } as const
const Payload = Type.Object(
  {
    meterId: Type.Optional(Id),
    servicePointId: Type.Optional(Id),
    place: Type.Optional(
      Type.Object({ gateway: Type.String(), bus: Type.String({ maxLength: 64 }), address: Type.String({ maxLength: 64 }) }, strict)
    ),
    kind: Type.Enum([...commandKinds]),
    parameters: Type.Record(Type.String(), Type.String(), { maxProperties: 8 }),
    deadline: Type.String({ maxLength: 40 })
  },
  strict
)
type Payload = Static<typeof Payload>

const parametersOf = { 'read-now': NoParameters, 'set-clock': NoParameters, valve: ValveParameters, credit: CreditParameters } as const

/**
 * The command `downlink`: something that a meter is to be told, by its id, its service point's, or the place where it is
 * connected. Answers with the id of its row in `metering.downlink`, which says what becomes of it.
 */
export function downlink({ clock }: DownlinkDependencies): CommandHandler {
  return async (payload, { client, requestedBy, commandId }) => {
    const asked = checkConfig(Payload, payload, 'downlink')
    const { kind, parameters } = asked
    checkConfig(parametersOf[kind], parameters, `the parameters of ${kind}`)
    const now = clock.now()
    const deadline = deadlineOf(asked, now)
    const target = await findTarget(client, wantedOf(asked), now)
    if (target === undefined)
      throw new AppError('PLACE_NOT_CONNECTED', 'no gateway reads it at present: there is no connection in force, or no meter')
    refuseUnsure(kind, target)
    const read = await lastReadWith(client, target)
    if (read !== undefined && !isDeclared(kind, read))
      throw new AppError(
        'COMMAND_UNSUPPORTED',
        `the profile by which this meter was read last declares no ${kind}, and ${read.protocol} has no standard one`
      )
    if ((await countOpen(client, target.gateway, mostOpen)) >= mostOpen)
      throw new AppError('COMMAND_TOO_MANY', `${mostOpen} commands of gateway ${target.gateway} are not over yet`)
    const id = await enterDownlink(client, { ...target, commandId, kind, parameters, requestedBy, requestedAt: now, deadline })
    return { id: id.toString() }
  }
}

function deadlineOf(asked: Payload, now: EpochMs): EpochMs {
  const deadline = fromIso(asked.deadline)
  if (deadline <= now) throw new AppError('COMMAND_EXPIRED', `the deadline ${toIso(deadline)} is over already`)
  if (deadline - now > longestDeadlineMs)
    throw new AppError('VALIDATION', `the deadline lies up to a week ahead, not at ${toIso(deadline)}`)
  return deadline
}

function wantedOf({ meterId, servicePointId, place }: Payload) {
  if ([meterId, servicePointId, place].filter((each) => each !== undefined).length !== 1)
    throw new AppError('VALIDATION', 'a command names a meter, a service point or a place: one of them')
  return {
    meterId: meterId === undefined ? undefined : BigInt(meterId),
    servicePointId: servicePointId === undefined ? undefined : BigInt(servicePointId),
    place
  }
}

/** What moves a valve or gives a credit must be for a meter that is known, so that whoever is there can be asked who he is. */
function refuseUnsure(kind: Payload['kind'], { meterId, bus, address }: Target): void {
  if (meterId !== null || (kind !== 'valve' && kind !== 'credit')) return
  throw new AppError('METER_NOT_FOUND', `no meter is installed at ${address} of ${bus}: nobody can tell whose ${kind} it would be`)
}
