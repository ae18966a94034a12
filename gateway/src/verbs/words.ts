import { type DeviceIdentity, formatIdentity } from '@endeks/domain/metering'
import type { ReadFailure } from '../protocols/protocol.js'

/** More of a conversation than this is for `--json`. */
const shownBytes = 512

/** Text that a device sent, fit for a terminal: one that is no friend could write control sequences. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, '\u{fffd}')
}

export function describeIdentity(identity: DeviceIdentity): string {
  const { version, medium } = identity
  const rest = [version === undefined ? undefined : `version ${version}`, medium].filter((each) => each !== undefined)
  return printable([formatIdentity(identity), ...rest].join(', '))
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

export function describeFailure(failure: ReadFailure): string[] {
  return [
    `${failure.code}: ${printable(failure.message)}`,
    `What to do: ${adviceFor(failure.code)}`,
    `sent:     ${shown(failure.request)}`,
    `received: ${shown(failure.response)}`
  ]
}

export function failureJson(failure: ReadFailure): Readonly<Record<string, unknown>> {
  const { code, message, request, response } = failure
  return { ok: false, code, message, help: adviceFor(code), request: hex(request), response: hex(response) }
}

function shown(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'nothing'
  const rest = bytes.length - shownBytes
  return rest > 0 ? `${hex(bytes.subarray(0, shownBytes))} and ${rest} bytes more` : hex(bytes)
}

const silent =
  'check the address, the framing (RTU or HDLC behind a converter: --option framing=rtu, framing=hdlc), the speed and parity, the wiring and that the meter has power; "gateway scan" tells which addresses answer'
const noise = 'the line disturbs, its speed or parity is another, or two devices answer at once: check those, then try again'
const wrongKey = "import the maker's key file for just this serial number, then try again; a disturbed line can look the same"
const crowd = 'two devices share this address, or the converter mixes up its answers: give each an address of its own'

/** By code, or by how a code ends. The first that fits. */
const advice: readonly (readonly [pattern: RegExp, text: string])[] = [
  [
    /^BUS_UNREACHABLE$/,
    'check host and port, or the path of the serial port and the right to open it; a converter may take one client only'
  ],
  [/^BUS_BROKEN$/, 'the connection ended in between: check the converter, and that no other program uses it'],
  [/^READ_ABORTED$/, 'it was called off; start it again'],
  [/^UNSUPPORTED$/, "this protocol can't do that here; see the README of its driver"],
  [/^(NO_ANSWER|MBUS_NO_RESPONSE|MBUS_EMPTY|MODBUS_UNANSWERED|DLMS_TIMEOUT|DLMS_CLOSED|DLMS_DISCONNECTED)$/, silent],
  [/^(MBUS_ENCRYPTED|DLMS_KEY|MBUS_KEY_SIZE)$/, 'this device ciphers: import its key with "gateway keys import" and name it with --key'],
  [/^(MBUS_KEY_OR_DATA|MBUS_MAC|DLMS_WRONG_KEY_OR_DAMAGED|DLMS_DECIPHERED)$/, wrongKey],
  [
    /^DLMS_(AUTHENTICATION|ASSOCIATION_REFUSED|SECURITY_LEVEL)$/,
    'check the client number and that the key has the password or keys of that client'
  ],
  [/^DLMS_COUNTER$/, 'the counter that is kept and the one of the device differ: has its key or the device been exchanged?'],
  [
    /^DLMS_(UNIT|VALUE|NO_VALUE|DATE|CAPTURES)$/,
    'the meter holds something else there than the profile says: see with "gateway probe" what'
  ],
  [/^(BUS_NEVER_QUIET|BUS_NOISE|MODBUS_NOISE|DLMS_TOO_LONG)$/, noise],
  [/_(CHECKSUM|CRC|STOP_BYTE|START_BYTE|TRUNCATED|LENGTH|TRAILING_BYTES|TRAILING|HDLC|HDLC_SEQUENCE)$/, noise],
  [/_(FOREIGN_ADDRESS|FOREIGN_IDENTITY|WRONG_PORT|WRONG_ANSWER|UNIT|TRANSACTION|IDENTITY_CHANGED)$/, crowd],
  [/^DLMS_INCOMPLETE$/, 'the device lets nothing be read so: name its key with --key, or look for another client number in its papers'],
  [
    /^MODBUS_EXCEPTION$/,
    'a device or the converter refuses: exception 10 or 11 says that nobody is at the address, 2 that its registers are others'
  ],
  [/_PROFILE$/, 'the profile does not fit the protocol: see its problems with "gateway run SITE.json --check-config"']
]

/** What a person can do about a failure. */
export function adviceFor(code: string): string {
  const found = advice.find(([pattern]) => pattern.test(code))
  return found?.[1] ?? 'check that the device speaks this protocol; "gateway decode" shows what the bytes say'
}
