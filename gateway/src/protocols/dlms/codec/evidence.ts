import type { MeterReading, Obis } from '@endeks/domain/metering'
import type { Result } from '@endeks/domain/result'
import type { DecodeFailure, Evidence, MeterReadout } from '../../protocol.js'
import type { Answers } from './answers.js'
import { bufferReadings } from './buffer-rows.js'
import type { DlmsData } from './data-types.js'
import { DlmsFault, guarded } from './fault.js'
import { identityIn } from './identity.js'
import { type Moment, momentOf } from './moment.js'
import { attributes } from './object-classes.js'
import { type DlmsRegister, parseProfile } from './profile.js'
import { decodePushed } from './pushed.js'
import { Refusals } from './refusals.js'
import { replay } from './replay.js'
import { counterOf, type ScalerUnit, scalerUnitOf } from './scaler-unit.js'

const { register: registerAttribute, extendedRegister } = attributes

/**
 * What a conversation's bytes say, by what its profile asks: the pure half of reading a meter. Bytes of one side only, the
 * meter's, are what it pushed.
 */
export function decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  return guarded(() => {
    const profile = parseProfile(evidence.profile)
    const { request, response, zone, keys } = evidence
    if (request.length === 0 && response.length > 0) return decodePushed(evidence, profile)
    const { association: plan } = profile
    const answers = replay({ request, response, ...(plan === undefined ? {} : { plan }), ...(keys === undefined ? {} : { keys }) })
    const identity = identityIn(answers, profile.identity)
    const refusals = new Refusals()
    const scales = scalesIn(answers, profile.registers, refusals)
    const current = profile.registers.flatMap((register) => currentReading(register, { evidence, answers, scales, refusals }) ?? [])
    const stored = bufferReadings({ profile, answers, zone, scales, refusals })
    const readings = [...current, ...stored]
    return { identity, readings, ...refusals.among(readings.length) }
  })
}

/** Scaler and unit of each register that has one that can be billed. */
function scalesIn(answers: Answers, registers: readonly DlmsRegister[], refusals: Refusals): ReadonlyMap<Obis, ScalerUnit> {
  const scales = new Map<Obis, ScalerUnit>()
  for (const register of registers) {
    const data = answers.get({ ...register, attribute: registerAttribute.scalerUnit })
    const scale = refusals.keep(register.obis, () => scalerUnitOf(data))
    if (scale !== undefined) scales.set(register.obis, scale)
  }
  return scales
}

interface Reading {
  readonly evidence: Evidence
  readonly answers: Answers
  readonly scales: ReadonlyMap<Obis, ScalerUnit>
  readonly refusals: Refusals
}

/** A register's value is of now, that of an extended register of when it was captured. */
function currentReading(register: DlmsRegister, { evidence, answers, scales, refusals }: Reading): MeterReading | undefined {
  const { obis, invalid } = register
  const { at, zone } = evidence
  // Taken out first: an answer that is missing is wrong with the conversation, not with the register.
  const value = answers.get({ ...register, attribute: registerAttribute.value })
  const captured =
    register.class === extendedRegister.class ? answers.get({ ...register, attribute: extendedRegister.captureTime }) : undefined
  const scale = scales.get(obis)
  if (scale === undefined) return undefined
  return refusals.keep(obis, () => {
    const raw = counterOf(value, invalid)
    return { obis, raw, ...(captured === undefined ? { at, status: 0 } : captureMoment(captured, zone)), ...scale }
  })
}

/** A counter that nobody can place in time is no reading. @throws {DlmsFault} DLMS_DATE */
function captureMoment(captured: DlmsData, zone: string): Moment {
  const moment = momentOf(captured, zone)
  if (moment === undefined) throw new DlmsFault('DLMS_DATE', 'it has a value and no capture time')
  return moment
}
