import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure, FrameContext } from '../../protocol.js'
import { hexText, refuse } from './failure.js'
import { readFrame } from './frame.js'
import { statusNames } from './header.js'
import type { MbusRecord } from './record.js'
import { readResponse } from './response.js'
import { valueText } from './value-text.js'

/**
 * One frame as a plain object. An answer shows its header and records; `qualifiers` is there only where a record has some,
 * `value` is null where the meter says that it has none, `raw` shows the bytes that stand for no value. `securityMode` is there
 * when the records were decrypted. A frame of the link layer shows what it is.
 */
export function describeFrame(bytes: Uint8Array, context?: FrameContext): Result<Readonly<Record<string, unknown>>, DecodeFailure> {
  const frame = readFrame(bytes)
  if (!frame.ok) return frame
  if (frame.value.size < bytes.length)
    return refuse('MBUS_TRAILING_BYTES', `The frame ends after ${frame.value.size} of ${bytes.length} bytes`, frame.value.size)
  if (frame.value.type === 'acknowledge') return success({ protocol: 'mbus', frame: 'acknowledge' })
  if (frame.value.type === 'short')
    return success({ protocol: 'mbus', frame: 'short', control: frame.value.control, address: frame.value.address })
  const response = readResponse(frame.value, context?.key)
  if (!response.ok) return response
  const { identity, access, status, records, securityMode, authenticated } = response.value
  return success({
    protocol: 'mbus',
    ...(identity === undefined ? {} : { identity }),
    access,
    status: statusNames(status),
    ...(securityMode === 0 ? {} : { securityMode }),
    ...(authenticated ? { authenticated } : {}),
    records: records.map(describeRecord)
  })
}

function describeRecord(record: MbusRecord): Readonly<Record<string, unknown>> {
  const { value, qualifiers } = record
  const described: Record<string, unknown> = {
    quantity: record.quantity,
    value: valueText(value),
    unit: record.unit,
    function: record.function,
    storage: record.storage,
    tariff: record.tariff,
    subunit: record.subunit
  }
  if (qualifiers.length > 0) described['qualifiers'] = qualifiers
  if (value.kind === 'invalid') described['raw'] = hexText(value.bytes)
  return described
}
