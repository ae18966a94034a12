import {
  type Apdu,
  cutSegments,
  decodeApdu,
  dlmsCodec,
  encodeApdu,
  encodeHdlcFrame,
  encodeHdlcParameters,
  encodeWrapper,
  type HdlcControl,
  hdlcDefaults,
  type LlcDirection,
  sealContents
} from '../../../src/protocols/dlms/codec/index.js'
import type { FuzzTarget } from '../../fuzz/engine.js'
import * as by from './peer.js'

const meterTitle = Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 1)
const clientTitle = Uint8Array.of(0x43, 0x4c, 0x49, 0, 0, 0, 0, 1)
const encryption = new Uint8Array(16).fill(1)
const authentication = new Uint8Array(16).fill(4)
const keys = { name: 'MMM-1', version: 1, secrets: { encryption, authentication } }
const ports = { client: 16, meter: 1 }

/** How the APDUs of one side stand in the bytes of a conversation. */
type Framing = (apdus: readonly Uint8Array[], direction: LlcDirection) => Uint8Array

const inWrappers: Framing = (apdus, direction) => {
  const [source, destination] = direction === 'command' ? [ports.client, ports.meter] : [ports.meter, ports.client]
  return Buffer.concat(apdus.filter(({ length }) => length > 0).map((apdu) => encodeWrapper({ source, destination, apdu })))
}

/** Set up with SNRM and UA, and each APDU in segments of a few bytes. */
const inSegments: Framing = (apdus, direction) => {
  const [source, destination] = direction === 'command' ? [ports.client, ports.meter] : [ports.meter, ports.client]
  const frame = (control: HdlcControl, information: Uint8Array, segmented = false): Uint8Array =>
    encodeHdlcFrame({ source: { size: 1, upper: source }, destination: { size: 1, upper: destination }, control, segmented, information })
  let sent = 0
  const carried = apdus.flatMap((apdu) => {
    const pieces = cutSegments({ direction, apdu }, 40)
    return pieces.map((each, index) => frame({ kind: 'I', send: sent++ % 8, receive: 0, final: true }, each, index < pieces.length - 1))
  })
  return Buffer.concat([
    frame({ kind: direction === 'command' ? 'SNRM' : 'UA', final: true }, encodeHdlcParameters(hdlcDefaults)),
    ...carried
  ])
}

/** What becomes of a side's APDUs, given bent or whole, before they are framed. */
type Protection = (apdus: readonly Uint8Array[], title: Uint8Array) => Uint8Array[]

const open: Protection = (apdus) => [...apdus]

/** Associations carry their titles and a ciphered initiate, releases go open, and all else is in general ciphering. */
const ciphered: Protection = (apdus, title) =>
  apdus.map((plain, index) => {
    const first = plain[0]
    if (first === 0x62 || first === 0x63) return plain
    const seal = (text: Uint8Array): Uint8Array =>
      sealContents(
        { control: 0x30, systemTitle: title, invocationCounter: index, encryptionKey: encryption, authenticationKey: authentication },
        text
      )
    const fields = { control: 0x30, invocationCounter: index } as const
    const decoded = first === 0x60 || first === 0x61 ? decodeApdu(plain) : undefined
    if (decoded?.ok === true)
      return encodeApdu(withSecurity(decoded.value, title, (text, apdu) => encodeApdu({ apdu, ...fields, contents: seal(text) })))
    return encodeApdu({ apdu: 'general-glo-ciphering', systemTitle: title, ...fields, contents: seal(plain) })
  })

type Inner = 'glo-initiate-request' | 'glo-initiate-response' | 'glo-confirmed-service-error'

function withSecurity(apdu: Apdu, title: Uint8Array, cipher: (text: Uint8Array, as: Inner) => Uint8Array): Apdu {
  if (apdu.apdu !== 'aarq' && apdu.apdu !== 'aare') return apdu
  const { userInformation } = apdu
  if (userInformation === undefined || userInformation.apdu === 'opaque') return apdu
  const information = { apdu: 'opaque', bytes: cipher(encodeApdu(userInformation), `glo-${userInformation.apdu}`) } as const
  const context = { applicationContextName: '2.16.756.5.8.1.3', userInformation: information }
  return apdu.apdu === 'aarq' ? { ...apdu, ...context, callingApTitle: title } : { ...apdu, ...context, respondingApTitle: title }
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const asked = by.history.map(([each]) => bytesOf(each))
const answered = by.history.map(([, each]) => bytesOf(each))

/** What a meter may say instead: refusals of an association, of a request and of one attribute, lists, a value that is no table. */
const refusals = [
  '6129a109060760857405080101a203020101a305a103020101be10040e0800065f1f040000101402000007',
  '611fa109060760857405080101a203020101a305a20302010285be0604040e010601',
  'd80101',
  'd80205',
  'd8010600000010',
  '0e010601',
  'c401c10104',
  'c402c501000000010104',
  'c403c10200120005010b',
  'c401c50009020102'
].map(bytesOf)

/** A conversation of which one answer, or one request, was bent before it was protected and framed. */
function conversationTarget(
  name: string,
  bent: LlcDirection,
  form: { readonly framing: Framing; readonly protection: Protection }
): FuzzTarget {
  const { framing, protection } = form
  const association = { client: ports.client, authentication: 'lls', protection: 'both', general: true }
  const profile = protection === open ? by.profile : { ...by.profile, association }
  const side = (direction: LlcDirection, apdus: readonly Uint8Array[]): Uint8Array =>
    framing(protection(apdus, direction === 'command' ? clientTitle : meterTitle), direction)
  const whole = { request: side('command', asked), response: side('response', answered) }
  const spoken = bent === 'command' ? asked : answered
  return {
    name: `dlms evidence, ${name}`,
    corpus: bent === 'command' ? asked : [...answered, ...refusals],
    besideBytes: Math.max(whole.request.length, whole.response.length),
    mend: (bytes, pick) => {
      const place = pick(spoken.length)
      return side(
        bent,
        spoken.map((apdu, index) => (index === place ? bytes : apdu))
      )
    },
    decode: (bytes) => {
      const given = bent === 'command' ? { ...whole, request: bytes } : { ...whole, response: bytes }
      return [dlmsCodec.decodeEvidence({ ...given, at: by.now, zone: 'Europe/Istanbul', profile, keys })]
    }
  }
}

const time = { year: 2026, month: 11, day: 24, weekday: 2, hour: 12, minute: 0, second: 0, hundredths: 0, deviation: -180, status: 0 }
const notification: Apdu = {
  apdu: 'data-notification',
  invoke: 1,
  time,
  body: {
    type: 'structure',
    value: [
      { type: 'visible-string', value: '12345678' },
      { type: 'date-time', value: time },
      { type: 'double-long-unsigned', value: 74_565 },
      {
        type: 'structure',
        value: [
          { type: 'integer', value: -3 },
          { type: 'enum', value: 13 }
        ]
      }
    ]
  }
}
const pushed = encodeApdu(notification)

function pushTarget(name: string, framing: Framing): FuzzTarget {
  const push = { captures: ['identity', 'clock', { obis: '8-0:1.0.0*255' }, { scalerUnit: '8-0:1.0.0*255' }] }
  const profile = { ...by.profile, push }
  return {
    name: `dlms push, ${name}`,
    corpus: [pushed],
    mend: (bytes) => framing([bytes], 'response'),
    decode: (response) => [dlmsCodec.decodeEvidence({ request: new Uint8Array(0), response, at: by.now, zone: 'Europe/Istanbul', profile })]
  }
}

export const conversations: readonly FuzzTarget[] = [
  conversationTarget('wrapper', 'response', { framing: inWrappers, protection: open }),
  conversationTarget('wrapper, requests', 'command', { framing: inWrappers, protection: open }),
  conversationTarget('hdlc', 'response', { framing: inSegments, protection: open }),
  conversationTarget('ciphered', 'response', { framing: inWrappers, protection: ciphered }),
  conversationTarget('ciphered, requests', 'command', { framing: inWrappers, protection: ciphered }),
  pushTarget('wrapper', inWrappers),
  pushTarget('hdlc', inSegments)
]

/** The whole conversations, which must decode before they are bent. */
export const wholeConversations = conversations.map((target) => ({
  name: target.name,
  outcome: () => target.decode(target.mend?.(target.corpus[0] ?? new Uint8Array(0), () => 0) ?? new Uint8Array(0))[0]
}))
