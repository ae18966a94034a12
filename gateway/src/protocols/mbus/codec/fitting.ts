import type { DeviceIdentity } from '@endeks/domain/metering'
import { isMeterUnit } from '@endeks/domain/units'
import type { NamedProfile } from '../../protocol.js'
import { isRecordOf } from './evidence.js'
import { isMbusProfile, type MbusProfile } from './profile.js'
import type { MbusResponse } from './response.js'

/**
 * The profiles that a meter can be read with, the best first: all their current registers are among its records and their `device`
 * does not speak of another one. First those that name most of what the device says, then those that claim least beyond it, then
 * those with more registers.
 */
export function fittingProfiles(
  profiles: readonly NamedProfile[],
  meter: { readonly identity: DeviceIdentity | undefined; readonly responses: readonly MbusResponse[] }
): readonly string[] {
  const fitting = profiles.flatMap(({ name, value }) => {
    if (!isMbusProfile(value)) return []
    const device = deviceMatches(value.device, meter.identity)
    return device === undefined || !isFilled(value, meter.responses) ? [] : [{ name, ...device, registers: value.registers.length }]
  })
  fitting.sort(
    (one, other) =>
      other.told - one.told || one.untold - other.untold || other.registers - one.registers || (one.name < other.name ? -1 : 1)
  )
  return fitting.map(({ name }) => name)
}

/** @returns how many parts of the identity the profile names rightly, and how many that the meter does not tell; undefined when it names one wrongly */
function deviceMatches(
  device: MbusProfile['device'],
  identity: DeviceIdentity | undefined
): { readonly told: number; readonly untold: number } | undefined {
  const { manufacturer, version, medium } = identity ?? {}
  const verdicts = [
    verdictOn(device?.manufacturer, manufacturer, (named) => named === manufacturer),
    verdictOn(device?.versions, version, (named) => version !== undefined && named.includes(version)),
    verdictOn(device?.media, medium, (named) => medium !== undefined && named.includes(medium))
  ]
  if (verdicts.includes('wrong')) return undefined
  const count = (which: string): number => verdicts.filter((verdict) => verdict === which).length
  return { told: count('right'), untold: count('untold') }
}

/** What the profile or the device does not say speaks neither for nor against. */
function verdictOn<Named>(
  named: Named | undefined,
  said: unknown,
  matches: (named: Named) => boolean
): 'right' | 'wrong' | 'open' | 'untold' {
  if (named === undefined) return 'open'
  if (said === undefined) return 'untold'
  return matches(named) ? 'right' : 'wrong'
}

/** A profile of stored values alone fits by those. */
function isFilled(profile: MbusProfile, responses: readonly MbusResponse[]): boolean {
  const records = responses.flatMap((response) => response.records)
  const current = profile.registers.filter((register) => register.storage === 'current')
  const wanted = current.length > 0 ? current : profile.registers
  return wanted.every((register) =>
    records.some((record) => isRecordOf(register, record) && isMeterUnit(record.unit) && record.index !== undefined)
  )
}
