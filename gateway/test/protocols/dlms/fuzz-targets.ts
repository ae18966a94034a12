import { deepStrictEqual } from 'node:assert/strict'
import { type Result, success } from '@endeks/domain/result'
import fc from 'fast-check'
import { guarded } from '../../../src/protocols/dlms/codec/fault.js'
import { fcs16 } from '../../../src/protocols/dlms/codec/hdlc-fcs.js'
import {
  CipherContext,
  type CipheredApdu,
  type CipherKey,
  cutSegments,
  decodeApdu,
  decodeData,
  decodeHdlcParameters,
  dlmsCodec,
  encodeApdu,
  encodeData,
  encodeHdlcFrame,
  encodeHdlcParameters,
  encodeWrapper,
  type HdlcAddress,
  type HdlcControl,
  type HdlcFrame,
  HdlcReader,
  hdlcDefaults,
  hdlcFlag,
  hdlcSizes,
  type Protection,
  SegmentAssembler,
  sealContents,
  WrapperAssembler,
  wrapperHeaderSize
} from '../../../src/protocols/dlms/codec/index.js'
import type { DecodeFailure } from '../../../src/protocols/protocol.js'
import type { FuzzedCodec, Outcome } from '../../fuzz/engine.js'
import { oneOf, type Random, random } from '../../fuzz/random.js'
import { vectorText } from '../../fuzz/vectors.js'
import { apdu as anyApdu } from './apdu-arbitraries.js'
import { data as anyData } from './arbitraries.js'
import { conversations } from './fuzz-conversations.js'
import * as by from './peer.js'

/** Of the generated frames; the mutations have a seed of their own. */
const seed = 20_261_124

function lines(name: string): string[] {
  return (vectorText(name) ?? '').split('\n').filter((line) => line !== '')
}

const vectors = lines('dlms-pwitab.jsonl').map((line) => Buffer.from((JSON.parse(line) as { bytes_hex: string }).bytes_hex, 'hex'))
const apdus: readonly Uint8Array[] = [
  ...fc.sample(anyApdu, { seed, numRuns: 150 }).map(encodeApdu),
  ...by.history.flat().map((each) => Buffer.from(each, 'hex')),
  ...vectors.filter((each) => decodeApdu(each).ok)
]
const manyCells = encodeData({ type: 'structure', value: Array.from({ length: 100 }, () => ({ type: 'null-data' as const })) })
const values = [manyCells, ...fc.sample(anyData, { seed, numRuns: 150 }).map(encodeData)]
const wrapped = apdus.map((apdu) => encodeWrapper({ source: 1, destination: 16, apdu }))

/** Whatever was decoded encodes, and decodes to the same again. */
function apduAndBack(bytes: Uint8Array): Result<unknown, DecodeFailure> {
  const decoded = decodeApdu(bytes)
  if (decoded.ok) deepStrictEqual(decodeApdu(encodeApdu(decoded.value)), decoded)
  return decoded
}

function dataAndBack(bytes: Uint8Array): Result<unknown, DecodeFailure> {
  const decoded = decodeData(bytes)
  if (decoded.ok) deepStrictEqual(decodeData(encodeData(decoded.value)), decoded)
  return decoded
}

/** Pieces of a few bytes up to a few hundred, as a socket gives them; where they are cut depends on the bytes alone. */
function* chunks(bytes: Uint8Array): Generator<Uint8Array> {
  const pick = random(bytes.length)
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + pick(pick(4) === 0 ? 4 : 400)
    yield bytes.subarray(at, at + size)
    at += size
  }
}

function held(pending: number, most: number): void {
  if (pending > most) throw new RangeError(`a stream reader holds ${pending} bytes`)
}

function wrapperStream(bytes: Uint8Array): Outcome[] {
  const assembler = new WrapperAssembler()
  const outcomes: Outcome[] = []
  for (const chunk of chunks(bytes)) {
    const frames = guarded(() => assembler.push(chunk))
    if (!frames.ok) return [...outcomes, frames]
    outcomes.push(...frames.value.map(({ apdu }) => decodeApdu(apdu)))
    held(assembler.pending, wrapperHeaderSize + 0xffff)
  }
  return outcomes
}

function hdlcStream(bytes: Uint8Array): Outcome[] {
  const reader = new HdlcReader()
  const segments = new SegmentAssembler()
  const outcomes: Outcome[] = []
  for (const chunk of chunks(bytes)) {
    for (const event of reader.push(chunk)) outcomes.push('frame' in event ? segmentOf(segments, event.frame) : refusedFrame(event))
    held(reader.pending, hdlcSizes.most + 2)
  }
  return outcomes
}

/** The offset of a failure on a line is one of the bytes that come with it. */
function refusedFrame({ failure, bytes }: { readonly failure: DecodeFailure; readonly bytes: Uint8Array }): Outcome {
  if ((failure.offset ?? 0) > bytes.length) throw new RangeError(`the offset ${failure.offset} is not one of ${bytes.length} bytes`)
  return { ok: false, error: { code: failure.code, message: failure.message } }
}

function segmentOf(segments: SegmentAssembler, frame: HdlcFrame): Outcome {
  const whole = guarded(() => segments.add(frame))
  return whole.ok && whole.value !== undefined ? decodeApdu(whole.value.apdu) : whole
}

/** The length of a wrapper that begins the bytes. */
function mendWrapper(bytes: Uint8Array): Uint8Array {
  const size = bytes.length - wrapperHeaderSize
  if (size < 1 || size > 0xffff) return bytes
  const mended = Uint8Array.from(bytes)
  mended.set([0, 1])
  mended.set([size >> 8, size & 0xff], wrapperHeaderSize - 2)
  return mended
}

/** Every wrapper of a conversation, found by its version and ports: its length reaches to the next. */
function mendWrappers(bytes: Uint8Array): Uint8Array {
  const buffer = Buffer.from(bytes)
  const header = Buffer.from('000100010010', 'hex')
  const starts: number[] = []
  for (let at = buffer.indexOf(header); at >= 0; at = buffer.indexOf(header, at + wrapperHeaderSize)) starts.push(at)
  for (const [index, start] of starts.entries()) {
    const end = starts[index + 1] ?? buffer.length
    if (start + wrapperHeaderSize <= end) buffer.writeUInt16BE(Math.min(end - start - wrapperHeaderSize, 0xffff), start + 6)
  }
  return Uint8Array.from(buffer)
}

/** Flags, format, length, HCS and FCS of a frame whose addresses still end; others keep what they have. */
function mendHdlc(bytes: Uint8Array): Uint8Array {
  const length = bytes.length - 2
  if (length < hdlcSizes.least || length > hdlcSizes.most) return bytes
  const frame = Uint8Array.from(bytes)
  frame[0] = frame[length + 1] = hdlcFlag
  frame[1] = 0xa0 | ((frame[1] ?? 0) & 0x08) | (length >> 8)
  frame[2] = length & 0xff
  const check = (at: number): void => {
    const value = fcs16(frame.subarray(1, at))
    frame.set([value & 0xff, value >> 8], at)
  }
  const header = headerEnd(frame)
  if (header + 2 < length - 1) check(header)
  check(length - 1)
  return frame
}

function headerEnd(frame: Uint8Array): number {
  let at = 3
  for (let addresses = 0; addresses < 2 && at < frame.length; at += 1) if (((frame[at] ?? 0) & 1) === 1) addresses += 1
  return at + 1
}

const addresses: readonly [HdlcAddress, ...HdlcAddress[]] = [
  { size: 1, upper: 0x10 },
  { size: 2, upper: 1, lower: 0x11 },
  { size: 4, upper: 1, lower: 0x1234 }
]

const [client] = addresses
const addressed = random(seed)

function hdlcOf(control: HdlcControl, information: Uint8Array = new Uint8Array(0), segmented = false): Uint8Array {
  return encodeHdlcFrame({ destination: oneOf(addresses, addressed), source: client, control, segmented, information })
}

/** What a line carries of some APDUs: their segments, numbered on from 0. */
function segmentsOf(some: readonly Uint8Array[]): Uint8Array[] {
  let sent = 0
  return some.flatMap((apdu) => {
    const pieces = cutSegments({ direction: 'response', apdu }, 16 + addressed(240)).slice(0, 8)
    return pieces.map((each, index) => {
      const control = { kind: 'I', send: sent++ % 8, receive: 0, final: true } as const
      return hdlcOf(control, each, index < pieces.length - 1)
    })
  })
}

const lineApdus = apdus.slice(0, 30)
/** APDUs in segments of a few sizes, and a frame of each kind that carries none. */
const hdlcFrames: readonly Uint8Array[] = [
  ...segmentsOf(lineApdus),
  ...(['SNRM', 'UA', 'DISC', 'DM', 'FRMR', 'UI'] as const).map((kind) => hdlcOf({ kind, final: true })),
  ...(['SNRM', 'UA'] as const).map((kind) => hdlcOf({ kind, final: true }, encodeHdlcParameters(hdlcDefaults))),
  ...(['RR', 'RNR'] as const).map((kind) => hdlcOf({ kind, receive: 3, final: true })),
  hdlcOf({ kind: 'UI', final: false }, cutSegments({ direction: 'response', apdu: Buffer.from(by.serial, 'hex') }, 128)[0])
]
const hdlcStreams = lineApdus.map((_, index) => Buffer.concat(segmentsOf(lineApdus.slice(index, index + 3))))

const keys = {
  global: new Uint8Array(16).fill(1),
  broadcast: new Uint8Array(16).fill(2),
  dedicated: new Uint8Array(16).fill(3),
  authentication: new Uint8Array(16).fill(4)
}
/** As a person gives them to be described with: the encryption key, and behind it the authentication key. */
const bothKeys = Uint8Array.of(...keys.global, ...keys.authentication)
const meterTitle = Uint8Array.of(0x4d, 0x4d, 0x4d, 0, 0, 0, 0, 1)
const clientTitle = Uint8Array.of(0x43, 0x4c, 0x49, 0, 0, 0, 0, 1)
const named = { global: 'general-glo-ciphering', broadcast: 'general-glo-ciphering', dedicated: 'general-ded-ciphering' } as const

/** Bent plain text under a tag that fits: what only an owner of the key could send. */
function sealed(plain: Uint8Array, pick: Random): Uint8Array {
  const key = oneOf(['global', 'broadcast', 'dedicated'] as const satisfies readonly CipherKey[], pick)
  const control = oneOf([0x10, 0x20, 0x30], pick) | (key === 'broadcast' ? 0x40 : 0)
  const invocationCounter = pick(0xffff_ffff)
  const seal = { control, systemTitle: meterTitle, invocationCounter, encryptionKey: keys[key], authenticationKey: keys.authentication }
  const ciphered: CipheredApdu = {
    apdu: named[key],
    systemTitle: meterTitle,
    control,
    invocationCounter,
    contents: sealContents(seal, plain)
  }
  return encodeApdu(ciphered)
}

const protections: Readonly<Record<number, Protection>> = { 16: 'authenticated', 32: 'encrypted', 48: 'both' }

function opened(bytes: Uint8Array): Outcome {
  const decoded = decodeApdu(bytes)
  if (!decoded.ok) return decoded
  const { value } = decoded
  if (!('invocationCounter' in value && 'contents' in value)) return success('not ciphered')
  // One in four asks for more than may be there.
  const required = bytes.length % 4 === 0 ? 'both' : (protections[value.control & 0x30] ?? 'both')
  return guarded(() => new CipherContext({ keys, ownTitle: clientTitle, peerTitle: meterTitle, required }).open(value))
}

const request = Buffer.concat(by.history.map(([each]) => by.frame(each, 16, 1)))
const response = Buffer.concat(by.history.map(([, each]) => by.frame(each)))

export const fuzzedDlms: FuzzedCodec = {
  name: 'dlms',
  prefix: 'DLMS_',
  targets: [
    { name: 'dlms apdu', corpus: apdus, decode: (bytes) => [apduAndBack(bytes), dlmsCodec.describeFrame(bytes)] },
    { name: 'dlms data', corpus: values, decode: (bytes) => [dataAndBack(bytes)] },
    { name: 'dlms wrapper', corpus: wrapped, mend: mendWrapper, decode: (bytes) => [dlmsCodec.describeFrame(bytes)] },
    { name: 'dlms wrapper stream', corpus: [response, request], mend: mendWrappers, decode: wrapperStream },
    { name: 'dlms hdlc', corpus: hdlcFrames, mend: mendHdlc, decode: (bytes) => [dlmsCodec.describeFrame(bytes)] },
    { name: 'dlms hdlc stream', corpus: hdlcStreams, decode: hdlcStream },
    {
      name: 'dlms hdlc parameters',
      corpus: [encodeHdlcParameters(hdlcDefaults), encodeHdlcParameters({ ...hdlcDefaults, maxInformationTransmit: 2030 })],
      decode: (bytes) => [decodeHdlcParameters(bytes)]
    },
    {
      name: 'dlms ciphered',
      corpus: apdus,
      mend: sealed,
      decode: (bytes) => [
        opened(bytes),
        dlmsCodec.describeFrame(bytes, { key: bothKeys }),
        dlmsCodec.describeFrame(bytes, { key: keys.global })
      ]
    },
    ...conversations
  ]
}
