import type { MeterReading, Obis } from '@endeks/domain/metering'
import type { Result } from '@endeks/domain/result'
import type { DecodeFailure, Evidence, MeterReadout } from '../../protocol.js'
import type { Answers } from './answers.js'
import { bufferReadings, momentOf } from './buffer-rows.js'
import { DlmsFault, guarded } from './fault.js'
import { identityIn } from './identity.js'
import { attributes } from './object-classes.js'
import { type DlmsRegister, parseProfile } from './profile.js'
import { decodePushed } from './pushed.js'
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
    const scales = new Map(profile.registers.map((register) => [register.obis, scaleOf(answers, register)]))
    const current = profile.registers.map((register) => currentReading(evidence, answers, register))
    const placed = current.filter((reading) => reading !== undefined)
    const unplaced = profile.registers.filter((_register, index) => current[index] === undefined)
    const scaleIn = (obis: Obis): ScalerUnit => {
      const scale = scales.get(obis)
      if (scale === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `the conversation did not ask for the scaler and unit of ${obis}`)
      return scale
    }
    const stored = bufferReadings({ profile, answers, zone, scaleOf: scaleIn })
    const offered = unplaced.map(({ obis }) => `${obis} without a capture time`)
    return {
      identity: identityIn(answers, profile.identity),
      readings: [...placed.map((reading) => ({ ...reading, ...scaleIn(reading.obis) })), ...stored],
      ...(offered.length === 0 ? {} : { offered })
    }
  })
}

function scaleOf(answers: Answers, register: DlmsRegister): ScalerUnit {
  return scalerUnitOf(answers.get({ ...register, attribute: registerAttribute.scalerUnit }))
}

/**
 * A register's value is of now, that of an extended register of when it was captured.
 *
 * @returns undefined for an extended register whose capture time is no instant
 */
function currentReading(evidence: Evidence, answers: Answers, register: DlmsRegister): Omit<MeterReading, 'scaler' | 'unit'> | undefined {
  const { obis } = register
  const raw = counterOf(answers.get({ ...register, attribute: registerAttribute.value }))
  if (register.class !== extendedRegister.class) return { obis, at: evidence.at, raw, status: 0 }
  const moment = momentOf(answers.get({ ...register, attribute: extendedRegister.captureTime }), evidence.zone)
  return moment === undefined ? undefined : { obis, raw, ...moment }
}
