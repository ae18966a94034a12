import { createHash } from 'node:crypto'
import type { MeterReading } from '@endeks/domain/metering'
import { failure, type Result, success } from '@endeks/domain/result'
import { encodeReadings, evidenceBytes, ReadingsMessageSchema } from '@endeks/domain/wire'
import { Compile } from 'typebox/compile'
import type { DecodeFailure, Exchange, MeterReadout } from '../protocols/protocol.js'
import { fitsMessage, type Readout } from '../spool/pack.js'

const validator = Compile(ReadingsMessageSchema)

/** Where a conversation took place and how its bytes are to be read. */
export interface Connection {
  readonly bus: string
  readonly address: string
  readonly protocol: string
  readonly profileHash: string
  /** 0 where the device was read without a key */
  readonly keyVersion: number
  readonly zone: string
}

/**
 * A conversation with what is to be delivered of it, as the wire carries it. What the wire's schema refuses is refused here:
 * beyond this point it would make its whole message a dead letter.
 */
export function readoutOf(
  connection: Connection,
  exchange: Exchange,
  decoded: MeterReadout,
  readings: readonly MeterReading[]
): Result<Readout, DecodeFailure> {
  const { id, manufacturer, version, medium } = decoded.identity
  const wire = {
    bus: connection.bus,
    address: connection.address,
    protocol: connection.protocol,
    identity: {
      id,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(version === undefined ? {} : { version }),
      ...(medium === undefined ? {} : { medium })
    },
    profile: connection.profileHash,
    keyVersion: connection.keyVersion,
    zone: connection.zone,
    at: exchange.at,
    request: Buffer.from(exchange.request).toString('base64'),
    response: Buffer.from(exchange.response).toString('base64'),
    sha256: createHash('sha256').update(evidenceBytes(exchange.request, exchange.response)).digest('hex')
  }
  const sample = {
    epoch: '00000000',
    lane: 'live',
    sequence: 1,
    exchanges: [wire],
    readings: readings.map((each) => ({ ...each, exchange: 0 }))
  } as const
  const message = encodeReadings(sample)
  if (!validator.Check(message)) {
    const first = validator.Errors(message)[0]
    return failure({ code: 'READOUT_UNFIT', message: `${first?.instancePath ?? '/'} ${first?.message ?? 'does not fit the wire'}` })
  }
  const readout = { exchange: wire, readings }
  if (fitsMessage(readout)) return success(readout)
  const bytes = exchange.request.length + exchange.response.length
  return failure({ code: 'EXCHANGE_TOO_LARGE', message: `evidence of ${bytes} bytes does not fit a message: read a shorter range at once` })
}
