import { createHash } from 'node:crypto'
import type { MeterReading } from '@endeks/domain/metering'
import { failure, type Result, success } from '@endeks/domain/result'
import { ForeignGateway } from './foreign-gateway.js'
import type { ForeignEvidence, ForeignFormat } from './format.js'
import { foreignFormats } from './known.js'

/** What was read of the bytes, and the number on the dial of the device that said it. */
export interface ForeignReadout {
  readonly identity: { readonly id: string }
  readonly readings: readonly MeterReading[]
}

/** Why bytes give no readings: a code that never changes, and a sentence. */
export interface ForeignDecodeFailure {
  readonly code: string
  readonly message: string
}

/** Whether evidence of this protocol came from another maker's gateway. */
export function isForeignProtocol(protocol: string): boolean {
  return foreignFormats.some((format) => format.name === protocol)
}

/** The hash by which evidence names the text that it was read with: of the text as it stands. */
export function foreignProfileHash(profile: string): string {
  return createHash('sha256').update(profile, 'utf8').digest('hex')
}

/**
 * Turns kept bytes of another maker's gateway into readings again, with what was entered and born when they were accepted, by the
 * program that accepts. Values of the message that were refused then are refused again; they are no readings.
 *
 * @returns the readings, or PROTOCOL_UNKNOWN, PROFILE_INVALID, or the code by which the whole is refused
 */
export function decodeForeignEvidence(protocol: string, evidence: ForeignEvidence): Result<ForeignReadout, ForeignDecodeFailure> {
  const format = foreignFormats.find((each) => each.name === protocol)
  if (format === undefined) {
    const known = foreignFormats.map((each) => each.name).join(', ')
    return failure({
      code: 'PROTOCOL_UNKNOWN',
      message: `no gateway of another maker speaks "${protocol.slice(0, 40)}"; known are ${known}`
    })
  }
  const gateway = recalledGateway(format, evidence.profile)
  if (gateway === undefined) {
    return failure({ code: 'PROFILE_INVALID', message: `the text beside the bytes tells no keys of a ${format.name} gateway` })
  }
  const { readings, refusal } = format.readEvidence(evidence, gateway)
  const device = readings?.exchanges[0]
  if (readings === undefined || device === undefined) {
    return failure(refusal ?? { code: 'MESSAGE_MALFORMED', message: 'the bytes hold no value of a register' })
  }
  if (readings.exchanges.length > 1 || device.address !== evidence.address) {
    const said = readings.exchanges.map((each) => JSON.stringify(each.address)).join(', ')
    return failure({ code: 'MESSAGE_MALFORMED', message: `the bytes are kept of ${JSON.stringify(evidence.address)}, and tell of ${said}` })
  }
  return success({
    identity: { id: gateway.serialOf(device.address) },
    readings: readings.readings.map(({ exchange: _exchange, ...reading }) => reading)
  })
}

function recalledGateway(format: ForeignFormat, profile: string): ForeignGateway | undefined {
  try {
    return ForeignGateway.recalled(format.name, JSON.parse(profile))
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}
