import type { LongRunningHandler } from '@endeks/database/commands'
import { AppError } from '@endeks/domain/errors'
import { checkConfig } from '@endeks/domain/process'
import { type Clock, type EpochMs, epochMs, fromIso, toIso } from '@endeks/domain/time'
import { isMeterUnit } from '@endeks/domain/units'
import Type from 'typebox'
import { recordTyped } from '../store/audit.js'
import type { Partitions } from '../store/partitions.js'
import { readRegisterAt } from '../store/places.js'
import { type ReadingRow, storeUnremembered } from '../store/readings.js'

export interface TypedReadingDependencies {
  readonly clock: Clock
  readonly partitions: Partitions
  /** called after the commit */
  readonly stored: () => void
}

const int8Digits = 18

const Payload = Type.Object({
  registerId: Type.Union([Type.String({ pattern: `^\\d{1,${int8Digits}}$` }), Type.Integer({ minimum: 0 })]),
  at: Type.Union([Type.String({ maxLength: 40 }), Type.Integer()]),
  raw: Type.String({ pattern: `^-?\\d{1,${int8Digits}}$` }),
  scaler: Type.Integer({ minimum: -12, maximum: 12 }),
  unit: Type.String({ maxLength: 8 }),
  status: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
  source: Type.Union([Type.Literal('hand-held'), Type.Literal('declared'), Type.Literal('manual')])
})

const futureMs = 5 * 60_000
const oldestMs = Date.UTC(1990, 0, 1)

/**
 * The command `typed-reading`: a reading that a person brings, by the same statements as one from a gateway, without an
 * exchange as its evidence: in its place stands who brought it, in `audit.event`. Answers `{ stored: true }`, 'same' for one that is known, 'conflict' when another value stands.
 */
export function typedReading(dependencies: TypedReadingDependencies): LongRunningHandler {
  return {
    longRunning: true,
    start: async (payload, { client, requestedBy, commandId }) => {
      const row = toRow(payload, dependencies.clock.now())
      const register = await readRegisterAt(client, row.registerId, row.at)
      if (!register.known) throw new AppError('METER_NOT_FOUND', `there is no register ${row.registerId}`)
      if (!register.installed)
        throw new AppError('VALIDATION', `the meter of register ${row.registerId} was not installed at ${toIso(row.at)}`)
      await dependencies.partitions.ensure([row.at])
      const { stored, other } = await storeUnremembered(client, [row])
      const outcome = stored > 0 ? true : other > 0 ? 'conflict' : 'same'
      await recordTyped(client, { actor: requestedBy, commandId, row, outcome })
      return { stored: outcome }
    },
    run: async () => dependencies.stored()
  }
}

function toRow(payload: unknown, now: EpochMs): ReadingRow {
  const given = checkConfig(Payload, payload, 'typed-reading')
  const { scaler, unit, source } = given
  const at = typeof given.at === 'string' ? fromIso(given.at) : epochMs(given.at)
  if (!isMeterUnit(unit)) throw new AppError('VALIDATION', `"${unit}" is no unit a meter counts in`)
  if (at > now + futureMs) throw new AppError('VALIDATION', `${toIso(at)} is in the future`)
  if (at < oldestMs) throw new AppError('VALIDATION', `${toIso(at)} is before any meter that is read here`)
  return {
    registerId: BigInt(given.registerId),
    at,
    raw: given.raw,
    scaler,
    unit,
    status: given.status ?? 0,
    source,
    exchangeId: null,
    exchangeDay: null
  }
}
