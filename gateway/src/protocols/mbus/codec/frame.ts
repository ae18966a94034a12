import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { hexByte, refuse } from './failure.js'

/** The four frames of EN 13757-2 (format class FT 1.2 of IEC 60870-5-1). A control frame is a long one without user data. */
export type MbusFrame =
  | { readonly type: 'acknowledge'; readonly size: 1 }
  | { readonly type: 'short'; readonly size: 5; readonly control: number; readonly address: number }
  | {
      readonly type: 'long'
      readonly size: number
      readonly control: number
      readonly address: number
      readonly ci: number
      /** what follows the CI field, without checksum and stop */
      readonly data: Uint8Array
      /** where `data` begins in the frame */
      readonly dataOffset: number
    }

export type LongFrame = Extract<MbusFrame, { readonly type: 'long' }>

export const acknowledge = 0xe5
const shortStart = 0x10
const longStart = 0x68
const stop = 0x16
/** L counts control, address and CI, so that it's at least 3. */
const leastLength = 3
const longOverhead = 6
const longDataOffset = 7
/** 253 bytes of user data at most beside C and A: L is one byte. */
export const longestFrame = 0xff + longOverhead

/** Control fields (EN 13757-2, after IEC 60870-5-2): who speaks, and with which frame count bit. */
export const control = {
  sendNke: 0x40,
  sendUserData: 0x53,
  requestUserData1: 0x5a,
  requestUserData2: 0x5b,
  frameCountBit: 0x20,
  respondUserData: 0x08,
  /** ACD and DFC of an answer say nothing about its content */
  answerMask: 0xcf
} as const

/** Addresses that no single meter has: 253 the selected one, 254 all of them, each answering, and 255 all of them, none answering. */
export const sharedAddress = { selected: 253, test: 254, broadcast: 255 } as const

/**
 * Reads the frame at the start of `bytes`; what follows it is left alone.
 *
 * @param base offset of `bytes` in what the caller was given, for the failure's offset
 * @returns MBUS_TRUNCATED when the bytes are a good beginning, another code when more bytes can't mend them
 */
export function readFrame(bytes: Uint8Array, base = 0): Result<MbusFrame, DecodeFailure> {
  const first = bytes[0]
  if (first === undefined) return refuse('MBUS_EMPTY', 'There are no bytes', base)
  if (first === acknowledge) return success({ type: 'acknowledge', size: 1 })
  if (first === shortStart) return readShort(bytes, base)
  if (first === longStart) return readLong(bytes, base)
  return refuse('MBUS_START_BYTE', `A frame starts with E5, 10 or 68, not with ${hexByte(first)}`, base)
}

function readShort(bytes: Uint8Array, base: number): Result<MbusFrame, DecodeFailure> {
  const [, controlField, address, checksum, last] = bytes
  if (controlField === undefined || address === undefined || checksum === undefined || last === undefined)
    return refuse('MBUS_TRUNCATED', `A short frame has 5 bytes, here are ${bytes.length}`, base + bytes.length)
  if (last !== stop) return refuse('MBUS_STOP_BYTE', `A frame ends with 16, not with ${hexByte(last)}`, base + 4)
  const sum = (controlField + address) & 0xff
  if (sum !== checksum) return refuse('MBUS_CHECKSUM', `The bytes add up to ${hexByte(sum)}, the frame says ${hexByte(checksum)}`, base + 3)
  return success({ type: 'short', size: 5, control: controlField, address })
}

function readLong(bytes: Uint8Array, base: number): Result<MbusFrame, DecodeFailure> {
  const [, length, again, start] = bytes
  if (length !== undefined && length < leastLength)
    return refuse('MBUS_LENGTH', `The length ${length} leaves no room for control, address and CI`, base + 1)
  if (length !== undefined && again !== undefined && length !== again)
    return refuse('MBUS_LENGTH', `The two length bytes differ: ${length} and ${again}`, base + 2)
  if (start !== undefined && start !== longStart)
    return refuse('MBUS_START_BYTE', `The lengths are followed by 68, not by ${hexByte(start)}`, base + 3)
  const size = (length ?? 0) + longOverhead
  if (length === undefined || bytes.length < size)
    return refuse(
      'MBUS_TRUNCATED',
      `The frame has ${length === undefined ? 'more' : size} bytes, here are ${bytes.length}`,
      base + bytes.length
    )
  const [controlField = 0, address = 0, ci = 0] = bytes.subarray(4)
  const last = bytes[size - 1] ?? 0
  if (last !== stop) return refuse('MBUS_STOP_BYTE', `The frame ends with 16, not with ${hexByte(last)}`, base + size - 1)
  const sum = checksumOf(bytes.subarray(4, size - 2))
  const checksum = bytes[size - 2] ?? 0
  if (sum !== checksum)
    return refuse('MBUS_CHECKSUM', `The bytes add up to ${hexByte(sum)}, the frame says ${hexByte(checksum)}`, base + size - 2)
  const data = bytes.subarray(longDataOffset, size - 2)
  return success({ type: 'long', size, control: controlField, address, ci, data, dataOffset: base + longDataOffset })
}

/** Splits concatenated frames; one that is not whole fails the lot. */
export function splitFrames(bytes: Uint8Array, most: number): Result<readonly MbusFrame[], DecodeFailure> {
  const frames: MbusFrame[] = []
  let offset = 0
  while (offset < bytes.length) {
    if (frames.length === most) return refuse('MBUS_TOO_MANY_FRAMES', `There are more than ${most} frames`, offset)
    const frame = readFrame(bytes.subarray(offset), offset)
    if (!frame.ok) return frame
    frames.push(frame.value)
    offset += frame.value.size
  }
  return success(frames)
}

export function encodeShort(controlField: number, address: number): Uint8Array {
  return Uint8Array.of(shortStart, controlField, address, (controlField + address) & 0xff, stop)
}

/** @throws {RangeError} when the data don't fit into one frame */
export function encodeLong(controlField: number, address: number, ci: number, data: Uint8Array): Uint8Array {
  const length = leastLength + data.length
  if (length > 0xff) throw new RangeError(`${data.length} bytes of user data do not fit into one frame`)
  const body = Uint8Array.of(controlField, address, ci, ...data)
  return Uint8Array.of(longStart, length, length, longStart, ...body, checksumOf(body), stop)
}

function checksumOf(bytes: Uint8Array): number {
  let sum = 0
  for (const byte of bytes) sum = (sum + byte) & 0xff
  return sum
}
