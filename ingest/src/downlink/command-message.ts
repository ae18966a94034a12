import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { type CommandMessage, parseCommandMessage, wireVersion } from '@endeks/domain/wire'
import type { DueDownlink } from '../store/downlinks.js'

/** A command as its gateway is sent it. @throws {AppError} INTERNAL for a row that nobody checked */
export function commandMessage(due: DueDownlink, now: EpochMs): CommandMessage {
  const { key, kind, bus, address, parameters, requested_by: requestedBy, deadline, serial, manufacturer } = due
  const device = serial === null ? {} : { device: { id: serial, ...(manufacturer === null ? {} : { manufacturer }) } }
  const message = { v: wireVersion, id: key, kind, bus, address, parameters, ...device, requestedBy, issuedAt: now, deadline }
  const parsed = parseCommandMessage(JSON.stringify(message))
  if (!parsed.ok) throw new AppError('INTERNAL', `command ${key} can't be sent: ${parsed.error.message}`)
  return parsed.value
}
