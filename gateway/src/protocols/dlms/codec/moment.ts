import { statusBits } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { DlmsData } from './data-types.js'
import { type CosemDateTime, clockStatus, formatDateTime, toInstant } from './date-time.js'
import { DlmsFault } from './fault.js'
import { dateTimeOf } from './selective-access.js'

/** When something was counted, and whether the clock that says so can be trusted. */
export interface Moment {
  readonly at: EpochMs
  readonly status: number
}

/**
 * The instant that a meter's clock meant.
 *
 * @returns undefined for null-data, and for a clock that specifies no date at all: that is how a meter says that it has none
 * @throws {DlmsFault} DLMS_DATE for a day that no calendar has, a date with gaps, a clock that calls itself invalid, and what is no clock
 */
export function momentOf(data: DlmsData, zone: string): Moment | undefined {
  if (data.type === 'null-data') return undefined
  const time = dateTimeOf(data)
  if (time === undefined) throw new DlmsFault('DLMS_DATE', `a ${data.type} stands where a clock was due`)
  const { year, month, day } = time
  if (year === 0xffff && month === 0xff && day === 0xff) return undefined
  const at = toInstant(time, zone)
  if (at === undefined) throw new DlmsFault('DLMS_DATE', `its clock ${formatDateTime(time)} is no instant${invalid(time)}`)
  return { at, status: says(time, clockStatus.doubtful) ? statusBits.clockInvalid : 0 }
}

function invalid(time: CosemDateTime): string {
  return says(time, clockStatus.invalid) ? ': it calls itself invalid' : ''
}

function says({ status }: CosemDateTime, bit: number): boolean {
  return status !== 0xff && (status & bit) !== 0
}
