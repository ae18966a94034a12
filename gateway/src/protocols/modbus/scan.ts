import { failure, type Result, success } from '@endeks/domain/result'
import type { Sighting } from '../protocol.js'
import type { Asker, Refusal } from './asker.js'
import { identificationNames } from './codec/index.js'

/** A device with an address of its own answers to 255, or to 0 (Modbus Messaging on TCP/IP V1.0b, 4.4.1.2). */
const ownUnits = [255, 0] as const

/** The units that a scan tries, in this order. */
export function unitsOf(framing: 'tcp' | 'rtu'): readonly number[] {
  const onLine = Array.from({ length: 247 }, (_, index) => index + 1)
  return framing === 'tcp' ? [...ownUnits, ...onLine] : onLine
}

/**
 * Whether somebody is at a unit: every device answers a read of its first holding register, if only by refusing it. Who it is,
 * only a profile can tell; what it calls itself is said.
 *
 * @returns undefined for a unit where nobody is; a failure of the line
 */
export async function sightUnit(asker: Asker, unit: number): Promise<Result<Sighting | undefined, Refusal>> {
  const answer = await asker.ask({ function: 3, address: 0, count: 1 })
  if (!answer.ok && (answer.error.kind === 'line' || answer.error.kind === 'aborted')) return failure(answer.error)
  const address = String(unit)
  if (!answer.ok && answer.error.kind === 'damaged' && answer.error.code !== 'MODBUS_UNIT') {
    // Two units at one address answer at once, and what comes is neither's.
    return success({ address, trouble: answer.error.message })
  }
  if (!answer.ok && answer.error.silent) return success(undefined)
  const identified = await asker.identify()
  if (!identified.ok) return success({ address, trouble: 'does not say what it is: probe it' })
  const said = identified.value.map(({ id, text }) => `${identificationNames[id] ?? `object ${id}`} ${text}`)
  return success({ address, trouble: `tells no number without a profile; ${said.join(', ')}` })
}
