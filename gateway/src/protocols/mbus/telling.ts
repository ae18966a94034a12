import { failure, type Result, success } from '@endeks/domain/result'
import { type EpochMs, fromLocal, toLocal } from '@endeks/domain/time'
import { amountFor } from '../amount.js'
import type { CommandOutcome, DecodeFailure, MeterCommand } from '../protocol.js'
import { encodeCommand, encodeRecord, type MbusProfile } from './codec/index.js'

/** Data records that tell a meter something, and what is said of it once it has acknowledged them. */
export interface Wanted {
  readonly records: Uint8Array
  readonly result: Extract<CommandOutcome, { readonly state: 'done' }>['result']
}

export const noProfile: Result<never, DecodeFailure> = failure({ code: 'MBUS_PROFILE', message: 'the profile is not one for M-Bus' })

/** COMMAND_UNSUPPORTED where the profile has no way to say it, or an amount does not fit. */
export function recordsFor(
  command: MeterCommand,
  { profile, zone, now }: { readonly profile: MbusProfile; readonly zone: string; readonly now: EpochMs }
): Result<Wanted, DecodeFailure> {
  const { valve, credit } = profile.commands ?? {}
  if (command.kind === 'set-clock') return success({ records: timePoint(now, zone), result: { setTo: now } })
  if (command.kind === 'valve') {
    if (valve === undefined) return failure({ code: 'COMMAND_UNSUPPORTED', message: 'the profile declares no valve' })
    return success({ records: bytesOf(valve[command.position]), result: {} })
  }
  if (credit === undefined) return failure({ code: 'COMMAND_UNSUPPORTED', message: 'the profile declares no credit' })
  const amount = amountFor(command, credit)
  if (!amount.ok) return amount
  const written = numberBytes(amount.value, credit)
  if (written === undefined) {
    return failure({ code: 'COMMAND_UNSUPPORTED', message: `${amount.value} does not fit ${credit.bytes} bytes of ${credit.coding}` })
  }
  return success({ records: Uint8Array.of(...bytesOf(credit.head), ...written), result: { written: amount.value.toString() } })
}

/** A time point of type F, to the minute, with the summer time flag (EN 13757-3:2018, annex A). */
function timePoint(now: EpochMs, zone: string): Uint8Array {
  const { offsetMinutes, ...date } = toLocal(now, zone)
  const summer = offsetMinutes > standardOffset(date.year, zone)
  return encodeRecord({
    ...{ quantity: 'time-point', unit: '', scaler: 0 },
    value: { coding: 'date', date: { kind: 'date-time', ...date, summer } }
  })
}

/** Summer time is ahead of it: the lesser of what holds in January and in July. */
function standardOffset(year: number, zone: string): number {
  const offsets = [1, 7].map((month) => {
    const at = fromLocal({ year, month, day: 1, hour: 12, minute: 0, second: 0 }, zone)
    return at === undefined ? 0 : toLocal(at, zone).offsetMinutes
  })
  return Math.min(...offsets)
}

/** Low byte first; undefined for a number that does not fit. An integer is signed: its highest bit stays free. */
function numberBytes(value: bigint, { coding, bytes }: { readonly coding: 'integer' | 'bcd'; readonly bytes: number }) {
  const digits = coding === 'bcd' ? value.toString() : value.toString(16)
  const fits = coding === 'bcd' ? digits.length <= 2 * bytes : value < 1n << BigInt(8 * bytes - 1)
  return fits ? bytesOf(digits.padStart(2 * bytes, '0')).reverse() : undefined
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

/** Whether the frame with these records is among the bytes that were sent, under either frame count bit. */
export function wasTold(sent: Uint8Array, records: Uint8Array, address: number): boolean {
  return [false, true].some((bit) => Buffer.from(sent).includes(Buffer.from(encodeCommand({ kind: 'data', records }, address, bit))))
}
