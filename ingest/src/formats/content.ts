import { gunzipSync } from 'node:zlib'
import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import { jsonOf } from '@endeks/domain/wire'
import { readCbor } from './cbor.js'

/**
 * What a compressed message may expand to. Reading a larger one would hold up all others: 2 MB take 1 ms to expand, which is
 * less than handing them to another thread costs, and 10 ms to read.
 */
export const expandedBytes = 2 * 1024 * 1024

/** RFC 1952, 2.3.1 */
const gzipMagic = [0x1f, 0x8b] as const
/** RFC 8949, 3.4.6: "what follows is CBOR" */
const selfDescribed = Buffer.from('d9d9f7', 'hex')
const cborMap = 5

/** The message inside of a payload: itself, or what gzip made of it. Only one wrapping is taken off. */
export function unpack(payload: Buffer): Result<Buffer, AppError> {
  if (payload[0] !== gzipMagic[0] || payload[1] !== gzipMagic[1]) return success(payload)
  try {
    return success(gunzipSync(payload, { maxOutputLength: expandedBytes }))
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      return failure(
        new AppError('MESSAGE_TOO_LARGE', `${payload.length} bytes of gzip expand to more than ${expandedBytes}; send less at once`)
      )
    }
    if (thrown instanceof Error && typeof code === 'string' && code.startsWith('Z_')) {
      return failure(new AppError('MESSAGE_MALFORMED', `begins like gzip and is none: ${thrown.message}`))
    }
    throw thrown
  }
}

/** The value that a columnar message stands for, in JSON or CBOR, told by its first bytes, plain or in gzip. */
export function readContent(payload: Buffer): Result<unknown, AppError> {
  const unpacked = unpack(payload)
  if (!unpacked.ok) return unpacked
  const bytes = unpacked.value
  if (bytes.subarray(0, selfDescribed.length).equals(selfDescribed)) return readCbor(bytes.subarray(selfDescribed.length))
  if ((bytes[0] ?? 0) >> 5 === cborMap) return readCbor(bytes)
  return jsonOf(bytes.toString('utf8'))
}
