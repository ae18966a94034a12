import type { Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import type { DlmsData } from './data-types.js'
import { readData } from './decode-data.js'
import { writeData } from './encode-data.js'
import { guarded } from './fault.js'
import { ByteReader } from './reader.js'
import { ByteWriter } from './writer.js'

/** One value of `Data` that fills the bytes. Never throws, whatever they are. */
export function decodeData(bytes: Uint8Array): Result<DlmsData, DecodeFailure> {
  return guarded(() => {
    const reader = new ByteReader(bytes)
    const data = readData(reader)
    reader.finish('the value')
    return data
  })
}

/** @throws {DlmsFault} DLMS_VALUE for a value that its type cannot hold */
export function encodeData(data: DlmsData): Uint8Array {
  return writeData(new ByteWriter(), data).finish()
}
