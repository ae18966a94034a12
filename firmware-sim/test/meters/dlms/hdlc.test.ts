import { once } from 'node:events'
import { connect } from 'node:net'
import { obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'
import t from 'tap'
import { HdlcLine, hdlcAddress } from '../../../src/meters/dlms/hdlc-line.js'
import { HdlcStation } from '../../../src/meters/dlms/hdlc-station.js'
import { logicalDevices } from '../../../src/meters/dlms/logical-device.js'
import { startDlmsBus } from '../../../src/meters/dlms/server.js'
import type { SimulatedMeter } from '../../../src/meters/meter.js'
import { aarq, meter } from './bench.js'

const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? 'nothing' : Buffer.from(bytes).toString('hex'))
const bytes = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const line = (...meters: readonly SimulatedMeter[]) => new HdlcLine(logicalDevices(meters, hdlcAddress), {}, (size) => new Uint8Array(size))

/** What a line answers to bytes; frames one after the other. */
function say(to: HdlcLine, request: string): string {
  const answers = to.receive(bytes(request)).flatMap(({ answer }) => (answer === undefined ? [] : [hex(answer.bytes)]))
  return answers.length === 0 ? 'nothing' : answers.join(' ')
}

/** Frames of client 16 and server 1 with addresses of one byte (03, 21), from the standard's layouts; check sequences are CRC-16/X-25. */
const snrm = '7ea0070321930f017e'
const ua = '7ea01e210373c37a818012050180060180070400000001080400000001533b7e'
const dm = '7ea00721031f6be97e'
const disc = '7ea00703215303c77e'

interface Side {
  readonly kind: string
  readonly send?: number
  readonly receive?: number
  readonly final?: boolean
  readonly size?: number
  readonly text?: string
  readonly segmented?: boolean
}

/** A station that answers each APDU with so many bytes, or with the text that it heard. */
function station(own: Partial<dlms.HdlcParameters> = {}, answerSize = 0) {
  const heard: string[] = []
  let resets = 0
  const it = new HdlcStation({
    own: { ...dlms.hdlcDefaults, ...own },
    answer(apdu) {
      heard.push(hex(apdu))
      return answerSize === 0 ? apdu : new Uint8Array(answerSize)
    },
    reset: () => {
      resets += 1
    }
  })
  const frame = (control: dlms.HdlcControl, information: Uint8Array = new Uint8Array(0), segmented = false) =>
    it
      .receive({ destination: { size: 1, upper: 1 }, source: { size: 1, upper: 16 }, control, segmented, information })
      .map((answer): Side => {
        const { control: given } = answer
        const numbers = { ...('send' in given ? { send: given.send } : {}), ...('receive' in given ? { receive: given.receive } : {}) }
        const size = answer.information.length
        return {
          kind: given.kind,
          ...numbers,
          final: given.final,
          ...(size === 0 ? {} : { size }),
          ...(answer.segmented ? { segmented: true } : {})
        }
      })
  const snrmWith = (peer: Partial<dlms.HdlcParameters> = {}) =>
    frame({ kind: 'SNRM', final: true }, dlms.encodeHdlcParameters({ ...dlms.hdlcDefaults, ...peer }))
  const information = (
    send: number,
    receive: number,
    text = 'e6e600c0',
    options: { readonly final?: boolean; readonly segmented?: boolean } = {}
  ) => frame({ kind: 'I', send, receive, final: options.final ?? true }, bytes(text), options.segmented ?? false)
  const ready = (receive: number, kind: 'RR' | 'RNR' = 'RR') => frame({ kind, receive, final: true })
  return { frame, snrmWith, information, ready, heard, resets: () => resets }
}

t.test('a link is set up, negotiated and taken down', (t) => {
  const meters = line(meter())
  t.equal(say(meters, disc), dm, 'DM: there is no link')
  t.equal(say(meters, snrm), ua, 'UA with the defaults')
  t.equal(say(meters, disc), ua, 'UA, with the parameters again')
  t.equal(say(meters, disc), dm)
  t.end()
})

t.test('frame by frame', async (t) => {
  const rr = (receive: number): Side => ({ kind: 'RR', receive, final: true })
  const one = (send: number, receive: number, size = 4): Side => ({ kind: 'I', send, receive, final: true, size })

  t.test('the lesser of both sides holds', (t) => {
    const { frame, snrmWith } = station({ maxInformationTransmit: 500, windowTransmit: 3, windowReceive: 7 })
    const decode = (peer: Partial<dlms.HdlcParameters>) => snrmWith(peer)[0]?.kind
    t.equal(decode({ maxInformationReceive: 200, windowReceive: 2, windowTransmit: 4 }), 'UA')
    t.same(frame({ kind: 'SNRM', final: true }, bytes('8180030501')), [{ kind: 'DM', final: true }], 'parameters that are none')
    t.same(frame({ kind: 'SNRM', final: false }), [], 'without a poll nothing is said')
    t.end()
  })

  t.test('without a link there is only DM', (t) => {
    const { information, ready, frame, heard } = station()
    t.same(information(0, 0), [{ kind: 'DM', final: true }])
    t.same(ready(0), [{ kind: 'DM', final: true }])
    t.same(frame({ kind: 'RR', receive: 0, final: false }), [])
    t.same(heard, [])
    t.end()
  })

  t.test('requests and answers are numbered; a frame sent again is answered again, and done once', (t) => {
    const { snrmWith, information, ready, heard } = station()
    snrmWith()
    t.same(information(0, 0), [one(0, 1)])
    t.same(information(0, 0), [one(0, 1)], 'the answer was lost')
    t.same(ready(0), [one(0, 1)], 'so it was again')
    t.same(information(1, 1), [one(1, 2)])
    t.same(information(5, 2), [rr(2)], 'one is missing: N(R) says which')
    t.equal(heard.length, 2)
    for (let number = 2; number < 20; number += 1) t.same(information(number % 8, number % 8), [one(number % 8, (number + 1) % 8)])
    t.end()
  })

  t.test('a request in segments is put together', (t) => {
    const { snrmWith, information, heard } = station({ windowReceive: 3 })
    snrmWith({ windowTransmit: 3 })
    t.same(information(0, 0, 'e6e600c0', { segmented: true, final: false }), [], 'the window is open')
    t.same(information(1, 0, '01', { segmented: true }), [rr(2)])
    t.same(information(1, 0, '01', { segmented: true }), [rr(2)], 'doubled')
    t.same(information(2, 0, '02'), [one(0, 3, 6)])
    t.same(heard, ['c00102'])
    t.end()
  })

  t.test('an answer in segments comes by windows', (t) => {
    const { snrmWith, information, ready } = station({ maxInformationTransmit: 10, windowTransmit: 3 }, 47)
    snrmWith({ windowReceive: 3 })
    const piece = (send: number, final: boolean, segmented = true, size = 10): Side => ({
      ...{ kind: 'I', send, receive: 1, final, size },
      ...(segmented ? { segmented } : {})
    })
    const first = [piece(0, false), piece(1, false), piece(2, true)]
    t.same(information(0, 0), first)
    t.same(ready(0), first, 'all of them again')
    t.same(ready(2), [piece(2, false), piece(3, false), piece(4, true, false)], 'the third again, and on')
    t.same(ready(3, 'RNR'), [rr(1)], 'the client has no room')
    t.same(ready(4), [piece(4, true, false)])
    t.same(ready(5), [rr(1)], 'all of it is there')
    t.end()
  })

  t.test('what a station must not take it rejects until the link is set up again', (t) => {
    const { snrmWith, information, ready, frame, heard, resets } = station({ maxInformationReceive: 8 })
    snrmWith()
    const frmr: Side = { kind: 'FRMR', final: true, size: 3 }
    t.same(ready(3), [frmr], 'an acknowledgement of what was not sent')
    t.same(information(0, 0), [frmr])
    snrmWith()
    t.same(information(0, 0, 'e6e600c0c0c0c0c0c0'), [frmr], 'longer than agreed')
    t.same(frame({ kind: 'DISC', final: true })[0]?.kind, 'UA')
    t.same(heard, [])
    t.equal(resets(), 3)
    t.end()
  })

  t.test('what is not DLMS inside a good frame is acknowledged and passed over', (t) => {
    const { snrmWith, information, frame, heard } = station()
    snrmWith()
    t.same(information(0, 0, 'e6e700c0'), [rr(1)], 'a response')
    t.same(information(1, 0, '414243'), [rr(2)], 'no LLC')
    t.same(frame({ kind: 'I', send: 2, receive: 0, final: true }), [rr(2)], 'nothing at all')
    for (const kind of ['UA', 'DM', 'FRMR'] as const) t.same(frame({ kind, final: true }), [], kind)
    t.same(heard, [])
    t.same(frame({ kind: 'UI', final: true }, bytes('e6e600c1')), [], 'without a number there is no answer')
    t.same(heard, ['c1'])
    t.end()
  })
})

t.test('meters on one line answer to their addresses of 1, 2 and 4 bytes', (t) => {
  const meters = line(
    meter({ address: '1', id: '1' }),
    meter({ address: '1/17', id: '2' }),
    meter({ address: '2/17', id: '3' }),
    meter({ address: '1/300', id: '4' }),
    meter({ address: '1/18', id: '5', dlms: { addressSize: 4 } })
  )
  const ask = (destination: dlms.HdlcAddress) => {
    const control = { kind: 'SNRM', final: true } as const
    const request = { destination, source: { size: 1, upper: 16 } as const, control, segmented: false, information: new Uint8Array(0) }
    const [exchange] = meters.receive(dlms.encodeHdlcFrame(request))
    const answer = exchange?.answer
    const frame = answer === undefined ? undefined : dlms.decodeHdlcFrame(answer.bytes)
    if (frame?.ok) t.same(frame.value.source, destination, 'it speaks as it was addressed')
    return answer?.address
  }
  t.equal(ask({ size: 1, upper: 1 }), '1')
  t.equal(ask({ size: 2, upper: 1, lower: 17 }), '1/17')
  t.equal(ask({ size: 4, upper: 1, lower: 17 }), '1/17')
  t.equal(ask({ size: 2, upper: 2, lower: 17 }), '2/17')
  t.equal(ask({ size: 4, upper: 1, lower: 300 }), '1/300')
  t.equal(ask({ size: 4, upper: 1, lower: 18 }), '1/18')
  for (const destination of [
    { size: 2, upper: 1, lower: 18 },
    { size: 2, upper: 1, lower: 99 },
    { size: 1, upper: 2 },
    { size: 1, upper: 0 },
    { size: 1, upper: 0x7f },
    { size: 4, upper: 0x3fff, lower: 0x3fff }
  ] as const) {
    t.equal(ask(destination), undefined, JSON.stringify(destination))
  }
  t.end()
})

t.test('what is said to all is heard by all, answered by none, and changes no address', (t) => {
  const devices = logicalDevices([meter({ address: '1/17', id: '1' }), meter({ address: '1/18', id: '2' })], hdlcAddress)
  const meters = new HdlcLine(devices, {}, (size) => new Uint8Array(size))
  const all = { size: 2, upper: 0x7f, lower: 0x7f } as const
  const information = dlms.writeLlc({ direction: 'command', apdu: dlms.encodeApdu(aarq()) })
  const control = { kind: 'UI', final: true } as const
  const frame = { destination: all, source: { size: 1, upper: 16 } as const, control, segmented: false, information }
  const [exchange] = meters.receive(dlms.encodeHdlcFrame(frame))
  t.equal(exchange?.answer, undefined)
  const sources = devices.map((each) => {
    const told = dlms.decodeHdlcFrame(meters.notify(each, 16, Uint8Array.of(0x0f)) ?? new Uint8Array(0))
    return told.ok ? told.value.source : told.error
  })
  t.same(sources, [
    { size: 2, upper: 1, lower: 17 },
    { size: 2, upper: 1, lower: 18 }
  ])
  t.end()
})

t.test('an address that no frame can carry is refused', (t) => {
  for (const address of ['0', '126', '1/0', '1/16382', 'x', '1/2/3', '1 ']) t.throws(() => line(meter({ address })), { code: 'VALIDATION' })
  t.throws(() => line(meter({ address: '1', dlms: { addressSize: 2 } })), { code: 'VALIDATION' })
  t.throws(() => line(meter({ address: '1/200', dlms: { addressSize: 2 } })), { code: 'VALIDATION' })
  t.throws(() => line(meter({ address: '1/17' }), meter({ address: '1/17' })), { code: 'VALIDATION' })
  t.end()
})

/** A client on a socket: one frame out, the frames up to the one with the final bit in. */
async function fetchOver(port: number, parameters: dlms.HdlcParameters) {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const reader = new dlms.HdlcReader()
  const waiting: dlms.HdlcFrame[] = []
  const source = { size: 1, upper: 16 } as const
  const destination = { size: 4, upper: 1, lower: 17 } as const
  const post = (control: dlms.HdlcControl, information: Uint8Array = new Uint8Array(0), segmented = false) =>
    socket.write(dlms.encodeHdlcFrame({ source, destination, control, segmented, information }))
  const next = async (): Promise<dlms.HdlcFrame> => {
    for (;;) {
      const frame = waiting.shift()
      if (frame !== undefined) return frame
      const [chunk] = (await once(socket, 'data')) as [Uint8Array]
      for (const event of reader.push(chunk)) if ('frame' in event) waiting.push(event.frame)
    }
  }
  post({ kind: 'SNRM', final: true }, dlms.encodeHdlcParameters(parameters))
  const agreed = dlms.decodeHdlcParameters((await next()).information)
  if (!agreed.ok) throw new Error(agreed.error.message)
  const incoming = new dlms.SegmentAssembler()
  let sent = 0
  let frames = 0
  const ask = async (apdu: dlms.Apdu): Promise<dlms.Apdu> => {
    const pieces = dlms.cutSegments({ direction: 'command', apdu: dlms.encodeApdu(apdu) }, agreed.value.maxInformationReceive)
    for (const [index, information] of pieces.entries()) {
      const last = index === pieces.length - 1
      post({ kind: 'I', send: sent, receive: incoming.next, final: true }, information, !last)
      sent = (sent + 1) % 8
      if (!last) await next()
    }
    for (;;) {
      const frame = await next()
      frames += 1
      const whole = incoming.add(frame)
      if (whole !== undefined) {
        const decoded = dlms.decodeApdu(whole.apdu)
        if (!decoded.ok) throw new Error(decoded.error.message)
        return decoded.value
      }
      if (frame.control.final) post({ kind: 'RR', receive: incoming.next, final: true })
    }
  }
  return { ask, agreed: agreed.value, frames: () => frames, socket }
}

function rowsIn(result: dlms.GetResult | undefined): number {
  return result !== undefined && 'data' in result && result.data.type === 'array' ? result.data.value.length : 0
}

t.test('a profile comes over a socket in blocks, segments and windows', async (t) => {
  const bus = await startDlmsBus({
    host: '127.0.0.1',
    port: 0,
    meters: [meter({ address: '1/17' }), meter({ address: '1/18', id: '77' })],
    dlms: { framing: 'hdlc', hdlc: { maxInformation: 60, window: 4 } }
  })
  t.teardown(() => bus.close())
  const proposed = { maxInformationTransmit: 40, maxInformationReceive: 200, windowTransmit: 1, windowReceive: 7 }
  const client = await fetchOver(bus.port, proposed)
  t.teardown(() => client.socket.destroy())
  t.same(client.agreed, { maxInformationTransmit: 60, maxInformationReceive: 40, windowTransmit: 4, windowReceive: 1 })
  client.socket.write('noise, and half a frame: ~\xa0')
  t.match(await client.ask(aarq()), { apdu: 'aare', result: 0 })
  const name = { class: 7, obis: obis('1-0:99.2.0*255') }
  const open = new dlms.OpenGet({ apdu: 'get-request-normal', invoke: 0xc1, ...name, attribute: 2 })
  let results = open.accept(await client.ask(open.request))
  while (results === undefined) results = open.accept(await client.ask(open.next()))
  t.match(results, [{ data: { type: 'array' } }])
  t.equal(rowsIn(results[0]), 500)
  t.ok(client.frames() > 150, `${client.frames()} frames`)
})
