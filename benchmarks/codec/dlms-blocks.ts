import { obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'

export const zone = 'Europe/Istanbul'
/** Ten days of quarter hours, each with four counters. */
const rows = 960
const counters = 4
const quarterHourMs = 900_000
const firstMs = Date.UTC(2026, 9, 1)
/** What a meter and a client on an optical probe or a modem usually agree on. */
const maxPduSize = 1_024
const maxInformation = 512
const invoke = 0xc1

/** The request whose answer is measured: a load profile's buffer. */
export const request = {
  apdu: 'get-request-normal',
  invoke,
  class: 7,
  obis: obis('1-0:99.1.0*255'),
  attribute: 2
} as const satisfies dlms.GetRequestNormal

/** One answer in blocks, as it stands on a connection and on a line. */
export interface BlockAnswer {
  readonly wrapper: Uint8Array
  readonly hdlc: Uint8Array
  /** of its APDUs, without framing */
  readonly apduBytes: number
}

export function loadProfile(form: 'structures' | 'compact array'): BlockAnswer {
  const value = Array.from({ length: rows }, (_, row): dlms.DlmsData => ({ type: 'structure', value: cells(row) }))
  const element: dlms.TypeDescription = {
    type: 'structure',
    elements: [{ type: 'octet-string' }, ...Array.from({ length: counters }, () => ({ type: 'double-long-unsigned' }) as const)]
  }
  const encoded = dlms.encodeData(form === 'structures' ? { type: 'array', value } : { type: 'compact-array', element, value })
  const blocks = dlms.cutBlocks(encoded, maxPduSize)
  const apdus = blocks.map((raw, index) =>
    dlms.encodeApdu({
      apdu: 'get-response-with-datablock',
      invoke,
      last: index === blocks.length - 1,
      block: index + 1,
      result: { raw }
    })
  )
  return {
    wrapper: Buffer.concat(apdus.map((apdu) => dlms.encodeWrapper({ source: 1, destination: 16, apdu }))),
    hdlc: inFrames(apdus),
    apduBytes: apdus.reduce((total, apdu) => total + apdu.length, 0)
  }
}

function cells(row: number): dlms.DlmsData[] {
  const clock = dlms.dateTimeOctets(dlms.fromInstant(epochMs(firstMs + row * quarterHourMs), zone))
  const values = Array.from(
    { length: counters },
    (_, counter): dlms.DlmsData => ({ type: 'double-long-unsigned', value: (counter + 1) * 1_000_000 + row * (counter + 7) })
  )
  return [clock, ...values]
}

function inFrames(apdus: readonly Uint8Array[]): Uint8Array {
  let sent = 0
  const frames = apdus.flatMap((apdu) => {
    const pieces = dlms.cutSegments({ direction: 'response', apdu }, maxInformation)
    return pieces.map((information, index) =>
      dlms.encodeHdlcFrame({
        destination: { size: 1, upper: 0x10 },
        source: { size: 2, upper: 1, lower: 0x11 },
        control: { kind: 'I', send: sent++ % 8, receive: 0, final: true },
        segmented: index < pieces.length - 1,
        information
      })
    )
  })
  return Buffer.concat(frames)
}
