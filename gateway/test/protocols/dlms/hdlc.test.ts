import { deepStrictEqual } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import t from 'tap'
import { guarded } from '../../../src/protocols/dlms/codec/fault.js'
import { fcs16 } from '../../../src/protocols/dlms/codec/hdlc-fcs.js'
import {
  CipherContext,
  cutSegments,
  decodeApdu,
  decodeHdlcFrame,
  decodeHdlcParameters,
  encodeApdu,
  encodeHdlcFrame,
  encodeHdlcParameters,
  type HdlcAddress,
  type HdlcControl,
  type HdlcEvent,
  type HdlcFrame,
  HdlcReader,
  hdlcDefaults,
  negotiateHdlc,
  readLlc,
  SegmentAssembler
} from '../../../src/protocols/dlms/codec/index.js'

import { service } from './service-arbitraries.js'

const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/vectors')
const answers = resolve(vectors, 'dlms-security-kat.jsonl')

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const codeOf = (work: () => unknown) => {
  const result = guarded(work)
  return result.ok ? 'fine' : result.error.code
}
const decodedCode = (frame: Uint8Array | string) => {
  const decoded = decodeHdlcFrame(typeof frame === 'string' ? bytes(frame) : frame)
  return decoded.ok ? 'decoded' : decoded.error.code
}

const snrm = '7ea00802232193bd647e'
const ua = '7ea01f21022373e6c781801205019a06019a070400000001080400000001cca27e'

t.test('the check sequence of the known answer', { skip: existsSync(answers) ? false : `${answers} is missing` }, (t) => {
  const rows = readFileSync(answers, 'utf8').split('\n').filter(Boolean)
  const known = rows.map((row) => JSON.parse(row) as { op: string; data: string; fcs: string }).filter((row) => row.op === 'fcs16')
  for (const { data, fcs } of known) {
    const value = fcs16(bytes(data))
    t.equal(hex(Uint8Array.of(value & 0xff, value >> 8)), fcs)
  }
  t.equal(known.length, 1)
  t.end()
})

t.test('the check value that catalogues of CRCs give for X.25', (t) => {
  t.equal(fcs16(Buffer.from('123456789')), 0x906e)
  t.end()
})

t.test('a connection is set up: SNRM, UA and their parameters', (t) => {
  const asked = decodeHdlcFrame(bytes(snrm))
  t.same(asked, {
    ok: true,
    value: {
      destination: { size: 2, upper: 1, lower: 0x11 },
      source: { size: 1, upper: 0x10 },
      control: { kind: 'SNRM', final: true },
      segmented: false,
      information: new Uint8Array(0)
    }
  })
  const granted = decodeHdlcFrame(bytes(ua))
  if (!granted.ok) throw new Error(granted.error.message)
  const parameters = decodeHdlcParameters(granted.value.information)
  const expected = { maxInformationTransmit: 154, maxInformationReceive: 154, windowTransmit: 1, windowReceive: 1 }
  t.same(parameters, { ok: true, value: expected })
  t.equal(hex(encodeHdlcParameters(expected)), hex(granted.value.information))
  t.same(decodeHdlcParameters(new Uint8Array(0)), { ok: true, value: hdlcDefaults }, 'a UA without parameters grants the defaults')
  t.same(
    decodeHdlcParameters(bytes('81801405020080060200800704000000010804000000 01'.replace(' ', ''))),
    { ok: true, value: hdlcDefaults },
    'lengths in two bytes'
  )
  t.end()
})

t.test('neither side sends more than the other takes', (t) => {
  const client = { maxInformationTransmit: 512, maxInformationReceive: 2030, windowTransmit: 7, windowReceive: 1 }
  const meter = { maxInformationTransmit: 128, maxInformationReceive: 256, windowTransmit: 3, windowReceive: 2 }
  t.same(negotiateHdlc(client, meter), { maxInformationTransmit: 256, maxInformationReceive: 128, windowTransmit: 2, windowReceive: 1 })
  const mirrored = negotiateHdlc(meter, client)
  t.same(mirrored, { maxInformationTransmit: 128, maxInformationReceive: 256, windowTransmit: 1, windowReceive: 2 }, 'both reckon the same')
  t.end()
})

t.test('parameters that lie are refused, those of makers passed over', (t) => {
  const code = (text: string) => {
    const decoded = decodeHdlcParameters(bytes(text))
    return decoded.ok ? 'decoded' : decoded.error.code
  }
  t.equal(code('80'), 'DLMS_TAG')
  t.equal(code('8180ff05'), 'DLMS_TRUNCATED')
  t.equal(code('818003050100'), 'DLMS_HDLC', 'no byte at a time')
  t.equal(code('818004050207ef'), 'DLMS_HDLC', 'more than a frame holds')
  t.equal(code('818003070108'), 'DLMS_HDLC', 'a window of eight')
  t.equal(code('8180020500'), 'DLMS_LENGTH')
  t.equal(code('8180070505000000000f'), 'DLMS_LENGTH')
  t.equal(code('818003630101f00301ffff'), 'decoded')
  t.equal(
    codeOf(() => encodeHdlcParameters({ ...hdlcDefaults, windowReceive: 8 })),
    'DLMS_VALUE'
  )
  t.end()
})

const seven = fc.integer({ min: 0, max: 0x7f })
const fourteen = fc.integer({ min: 0, max: 0x3fff })
const address: fc.Arbitrary<HdlcAddress> = fc.oneof(
  seven.map((upper) => ({ size: 1 as const, upper })),
  fc.tuple(seven, seven).map(([upper, lower]) => ({ size: 2 as const, upper, lower })),
  fc.tuple(fourteen, fourteen).map(([upper, lower]) => ({ size: 4 as const, upper, lower }))
)
const number = fc.integer({ min: 0, max: 7 })
const control: fc.Arbitrary<HdlcControl> = fc
  .tuple(fc.constantFrom('I', 'RR', 'RNR', 'SNRM', 'DISC', 'UA', 'DM', 'FRMR', 'UI'), number, number, fc.boolean())
  .map(([kind, send, receive, final]): HdlcControl => {
    if (kind === 'I') return { kind, send, receive, final }
    return kind === 'RR' || kind === 'RNR' ? { kind, receive, final } : ({ kind, final } as HdlcControl)
  })
const frame: fc.Arbitrary<HdlcFrame> = fc
  .tuple(address, address, control, fc.boolean(), fc.uint8Array({ maxLength: 60 }))
  .map(([destination, source, control, segmented, information]) => {
    return { destination, source, control, segmented, information: Uint8Array.from(information) }
  })

t.test('decoding inverts encoding, and every truncation and byte too many is a coded failure', (t) => {
  fc.assert(
    fc.property(frame, (value) => {
      const encoded = encodeHdlcFrame(value)
      deepStrictEqual(decodeHdlcFrame(encoded), { ok: true, value })
      for (let size = 0; size < encoded.length; size += 1) {
        if (!decodedCode(encoded.subarray(0, size)).startsWith('DLMS_'))
          throw new Error(`${size} of ${encoded.length} bytes were taken for whole`)
      }
      if (decodedCode(Uint8Array.of(...encoded, 0x7e)) !== 'DLMS_TRAILING') throw new Error('a byte too many was not seen')
    }),
    { numRuns: 300 }
  )
  t.end()
})

t.test('one or two flipped bits, and one wrong byte, are always seen', (t) => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.nat(), (value, first, second) => {
      const encoded = encodeHdlcFrame(value)
      const bits = encoded.length * 8
      for (const flips of [[first % bits], [first % bits, second % bits]]) {
        const changed = Uint8Array.from(encoded)
        for (const bit of flips) changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const same = hex(changed) === hex(encoded)
        if (!same && decodedCode(changed) === 'decoded') throw new Error(hex(changed))
      }
    }),
    { numRuns: 1000 }
  )
  t.end()
})

const framesIn = (events: readonly HdlcEvent[]) => events.flatMap((event) => ('frame' in event ? [event.frame] : []))

t.test('a stream cut anywhere gives its frames, flags shared or doubled', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(frame, fc.constantFrom('shared', 'own', 'many')), { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (sent, cuts) => {
        let stream: number[] = []
        for (const [value, flags] of sent) {
          const encoded = [...encodeHdlcFrame(value)]
          if (flags === 'shared' && stream.at(-1) === 0x7e) encoded.shift()
          stream = [...stream, ...(flags === 'many' ? [0x7e, 0x7e, 0x7e] : []), ...encoded]
        }
        const reader = new HdlcReader()
        const events: HdlcEvent[] = []
        for (let at = 0, cut = 0; at < stream.length; cut += 1) {
          const size = cuts[cut % cuts.length] ?? 1
          events.push(...reader.push(Uint8Array.from(stream.slice(at, at + size))))
          at += size
        }
        deepStrictEqual(
          framesIn(events),
          sent.map(([value]) => value)
        )
        deepStrictEqual([events.length, reader.skipped], [sent.length, 0])
      }
    ),
    { numRuns: 200 }
  )
  t.end()
})

t.test('a lying length, noise and half a frame hide no frame behind them', (t) => {
  const cases = {
    'noise without a flag': '00ff55aa',
    'noise with flags': '7e7eff7e00017e',
    'half a frame': '7ea01f21022373',
    'half an information frame': '7ea02c02232110af9fe6e600601da1090607',
    'a header that lies about its length': '7ea7ff02232193bd64',
    'a length of nothing': '7ea000',
    'a type of frame that DLMS does not have': '7e9008022321',
    'an address without an end': '7ea0180202020202020202020202020202',
    'an address of three bytes': '7ea00a02022302219300007e'
  }
  for (const [name, noise] of Object.entries(cases)) {
    const reader = new HdlcReader()
    const events = reader.push(bytes(noise + snrm + ua))
    t.match(
      framesIn(events).map((each) => each.control.kind),
      ['SNRM', 'UA'],
      name
    )
    t.ok(reader.pending <= 1)
    for (const event of events) if ('failure' in event) t.match(event.failure.code, /^DLMS_/)
  }
  t.end()
})

t.test('a failure names the byte within the bytes that come with it', (t) => {
  const [event] = new HdlcReader().push(bytes(`0000${snrm.replace('bd64', 'bd65')}`))
  t.match(event, { failure: { code: 'DLMS_CHECKSUM', offset: 7 } })
  t.equal(event === undefined ? '' : hex(event.bytes), '7ea00802232193bd657e')
  t.end()
})

t.test('a line that never stops costs no memory', (t) => {
  const reader = new HdlcReader()
  let most = 0
  for (const hostile of ['7e', '00', '7ea7ff', '7ea7fe0303', '7ea7ff030383', '7ea7']) {
    const chunk = Buffer.alloc(20_000, Buffer.from(hostile, 'hex'))
    reader.push(chunk)
    most = Math.max(most, reader.pending)
  }
  t.ok(most <= 2049, `${most} bytes were held`)
  t.end()
})

const piece = (send: number, information: Uint8Array, segmented: boolean): HdlcFrame => ({
  destination: { size: 1, upper: 0x10 },
  source: { size: 1, upper: 1 },
  control: { kind: 'I', send, receive: 0, final: true },
  segmented,
  information
})

t.test('an APDU cut into segments comes together, over more than eight frames', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 500 }), fc.integer({ min: 1, max: 128 }), (apdu, size) => {
      const pieces = cutSegments({ direction: 'response', apdu }, size)
      const assembler = new SegmentAssembler()
      for (const [index, each] of pieces.entries()) {
        const last = index === pieces.length - 1
        const whole = assembler.add(piece(index % 8, each, !last))
        if (last) deepStrictEqual(whole, { direction: 'response', apdu: Uint8Array.from(apdu) })
        else if (whole !== undefined || !assembler.open) throw new Error('an APDU ended before its last segment')
      }
      deepStrictEqual([assembler.next, assembler.open], [pieces.length % 8, false])
    }),
    { numRuns: 200 }
  )
  t.end()
})

t.test('an APDU goes ciphered and in segments over a noisy line, and comes out as it was', (t) => {
  const keys = { global: new Uint8Array(16).fill(1), authentication: new Uint8Array(16).fill(2) }
  const [ownTitle, peerTitle] = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1)]
  fc.assert(
    fc.property(service, fc.integer({ min: 8, max: 128 }), (apdu, size) => {
      const sent = new CipherContext({ keys, ownTitle, peerTitle }).protect({ apdu, key: 'global', form: 'general' })
      const pieces = cutSegments({ direction: 'response', apdu: encodeApdu(sent) }, size)
      const frames = pieces.map((each, index) => encodeHdlcFrame(piece(index % 8, each, index < pieces.length - 1)))
      const line = new HdlcReader()
      const events = frames.flatMap((each) => [...line.push(bytes('00ff7ea7')), ...line.push(each)])
      const assembler = new SegmentAssembler()
      const whole = framesIn(events)
        .map((each) => assembler.add(each))
        .at(-1)
      const received = decodeApdu(whole?.apdu ?? new Uint8Array(0))
      if (!received.ok || !('contents' in received.value)) throw new Error('no ciphered APDU came')
      const opened = new CipherContext({ keys, ownTitle: peerTitle, peerTitle: ownTitle }).open(received.value)
      deepStrictEqual(structuredClone(opened), structuredClone(apdu))
    }),
    { numRuns: 150 }
  )
  t.end()
})

t.test('segments that are lost, doubled, endless or none are refused', (t) => {
  const add = (frames: readonly HdlcFrame[]) => {
    const assembler = new SegmentAssembler()
    return codeOf(() => frames.map((each) => assembler.add(each)))
  }
  const llc = bytes('e6e700c4')
  t.equal(add([piece(0, llc, true), piece(1, llc, false)]), 'fine')
  t.equal(add([piece(0, llc, true), piece(0, llc, false)]), 'DLMS_HDLC_SEQUENCE', 'doubled')
  t.equal(add([piece(0, llc, true), piece(2, llc, false)]), 'DLMS_HDLC_SEQUENCE', 'lost')
  t.equal(add([piece(0, new Uint8Array(0), false)]), 'DLMS_HDLC')
  t.equal(add([{ ...piece(0, llc, false), control: { kind: 'RR', receive: 0, final: true } }]), 'DLMS_HDLC')
  t.equal(add([piece(0, bytes('c401c100'), false)]), 'DLMS_HDLC', 'no LLC header')
  t.equal(add([piece(0, bytes('e6'), false)]), 'DLMS_TRUNCATED')
  t.equal(add(Array.from({ length: 40 }, (_, index) => piece(index % 8, new Uint8Array(2000), true))), 'DLMS_LENGTH')
  t.same(readLlc(bytes('e6e600c0')), { direction: 'command', apdu: bytes('c0') })
  t.end()
})

t.test('what no frame holds is not encoded', (t) => {
  const encode = (changes: Partial<HdlcFrame>) => codeOf(() => encodeHdlcFrame({ ...piece(0, new Uint8Array(0), false), ...changes }))
  t.equal(encode({}), 'fine')
  t.equal(encode({ information: new Uint8Array(2030) }), 'fine')
  t.equal(encode({ information: new Uint8Array(2040) }), 'DLMS_LENGTH')
  t.equal(encode({ source: { size: 1, upper: 0x80 } }), 'DLMS_VALUE')
  t.equal(encode({ source: { size: 4, upper: 0x3fff, lower: 0x4000 } }), 'DLMS_VALUE')
  t.equal(encode({ control: { kind: 'I', send: 8, receive: 0, final: false } }), 'DLMS_VALUE')
  t.end()
})
