import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { hexByte, refuse } from './failure.js'
import { control, encodeLong, type LongFrame } from './frame.js'
import { encodeSelection, readSelection, type SecondaryAddress } from './secondary-address.js'

/** CI fields of what a master sends (EN 13757-7:2018). */
const commandCi = { applicationReset: 0x50, data: 0x51, select: 0x52 } as const

/** DIF of an 8-bit integer and VIF of the bus address: the one record of a new address (EN 13757-3:2018, table 10). */
const busAddressRecord = [0x01, 0x7a] as const

/** What a master tells a meter by SND_UD; the meter acknowledges each with E5. */
export type Command =
  | { readonly kind: 'select'; readonly address: SecondaryAddress }
  /** starts the application anew; the subcode says which telegram is meant, 0 all of them */
  | { readonly kind: 'application-reset'; readonly subcode?: number }
  | { readonly kind: 'set-address'; readonly address: number }
  /** data records for the meter as they are, such as a selection of what is to be read out */
  | { readonly kind: 'data'; readonly records: Uint8Array }

/** The highest address that a meter may be given: those above mean several meters, or none. */
export const highestPrimaryAddress = 250

/**
 * @param frameCountBit that of the link to this address; a selection stands outside of it and has none
 * @throws {RangeError} when the data don't fit into one frame or the new address is none
 */
export function encodeCommand(command: Command, address: number, frameCountBit = false): Uint8Array {
  const controlField = control.sendUserData | (frameCountBit ? control.frameCountBit : 0)
  if (command.kind === 'select') return encodeLong(controlField, address, commandCi.select, encodeSelection(command.address))
  if (command.kind === 'data') return encodeLong(controlField, address, commandCi.data, command.records)
  if (command.kind === 'set-address') {
    if (!Number.isInteger(command.address) || command.address < 0 || command.address > highestPrimaryAddress)
      throw new RangeError(`${command.address} is not a primary address from 0 to ${highestPrimaryAddress}`)
    return encodeLong(controlField, address, commandCi.data, Uint8Array.of(...busAddressRecord, command.address))
  }
  const data = command.subcode === undefined ? [] : [command.subcode]
  return encodeLong(controlField, address, commandCi.applicationReset, Uint8Array.from(data))
}

/** What a long frame tells a meter: the slave's half of `encodeCommand`. */
export function readCommand(frame: LongFrame): Result<Command, DecodeFailure> {
  const { ci, data, dataOffset } = frame
  if ((frame.control & ~control.frameCountBit) !== control.sendUserData)
    return refuse('MBUS_CONTROL_FIELD', `Control field ${hexByte(frame.control)} is not that of data for a meter`, dataOffset - 3)
  if (ci === commandCi.select) {
    const address = readSelection(data, dataOffset)
    return address.ok ? success({ kind: 'select', address: address.value }) : address
  }
  if (ci === commandCi.applicationReset)
    return success(data[0] === undefined ? { kind: 'application-reset' } : { kind: 'application-reset', subcode: data[0] })
  if (ci !== commandCi.data) return refuse('MBUS_CI_UNSUPPORTED', `CI field ${hexByte(ci)} is none of 50, 51, 52`, dataOffset - 1)
  const [dif, vif, address] = data
  if (data.length === 3 && dif === busAddressRecord[0] && vif === busAddressRecord[1] && address !== undefined)
    return success({ kind: 'set-address', address })
  return success({ kind: 'data', records: data })
}
