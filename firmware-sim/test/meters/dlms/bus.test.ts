import { once } from 'node:events'
import { connect } from 'node:net'
import { type Obis, obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import t from 'tap'
import { MeterFaults } from '../../../src/faults/index.js'
import type { MeterFault } from '../../../src/faults/schema.js'
import { HdlcLine, hdlcAddress } from '../../../src/meters/dlms/hdlc-line.js'
import { logicalDevices } from '../../../src/meters/dlms/logical-device.js'
import type { DlmsMeterOptions } from '../../../src/meters/dlms/options.js'
import { startDlmsBus } from '../../../src/meters/dlms/server.js'
import { WrapperLine, wrapperAddress } from '../../../src/meters/dlms/wrapper-line.js'
import { aarq, meter, Table } from './bench.js'

const random = (size: number) => new Uint8Array(size)
const keys = { global: '000102030405060708090A0B0C0D0E0F', authentication: 'D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF' } as const
const get = (objectClass: number, name: Obis, attribute: number): dlms.Apdu => ({
  apdu: 'get-request-normal',
  invoke: 0xc1,
  class: objectClass,
  obis: name,
  attribute
})
const serial = get(1, obis('0-0:96.1.0*255'), 2)
const total = get(3, obis('8-0:1.0.0*255'), 2)

/** SAPs and names that a management logical device lists. */
function listed(answer: dlms.Apdu | undefined): string[] {
  if (answer?.apdu !== 'get-response-normal' || !('data' in answer.result) || answer.result.data.type !== 'array') return []
  return answer.result.data.value.map((each) => {
    const [sap, name] = each.type === 'structure' ? each.value : []
    return sap?.type === 'long-unsigned' && name?.type === 'octet-string' ? `${sap.value} ${Buffer.from(name.value)}` : 'neither'
  })
}

t.test('the management logical device lists all that stand behind a port', (t) => {
  const assignment = get(17, obis('0-0:41.0.0*255'), 2)
  const list = (...addresses: readonly string[]) => {
    const devices = logicalDevices(
      addresses.map((address) => meter({ address, id: address })),
      wrapperAddress
    )
    const client = new Table(16, devices)
    client.ask(aarq())
    return listed(client.ask(assignment))
  }
  t.same(list('1', '7'), ['1 KAM0000000000001', '7 KAM0000000000007'], 'one of them manages')
  t.same(list('5', '7'), ['5 KAM0000000000005', '7 KAM0000000000007', '1 KAM0000000000000'], 'a concentrator manages')
  t.same(list('1'), [], 'one by itself has no such object')
  t.end()
})

t.test('a meter that was exchanged is another one in the same association', (t) => {
  let id = '111'
  const base = meter()
  const exchanged = {
    ...base,
    get identity() {
      return { id, manufacturer: 'KAM' }
    }
  }
  const client = new Table(16, logicalDevices([exchanged], wrapperAddress))
  client.ask(aarq())
  t.match(client.ask(serial), { result: { data: { value: Buffer.from('111') } } })
  id = '222'
  t.match(client.ask(serial), { apdu: 'exception-response', stateError: 1 }, 'it knows of no association')
  client.ask(aarq())
  t.match(client.ask(serial), { result: { data: { value: Buffer.from('222') } } })
  t.end()
})

t.test('faults of a meter last for what an association reads', (t) => {
  const client = (fault: MeterFault) => {
    const faults = new MeterFaults({ seed: 1, address: '1', faults: [fault] })
    const table = new Table(16, logicalDevices([{ ...meter(), faults }], wrapperAddress))
    table.ask(aarq())
    return table
  }
  t.match(client({ type: 'lie', about: 'index' }).ask(total), { result: { data: { value: 0xffff_ffff } } })
  t.match(client({ type: 'application-error', code: 2 }).ask(total), { result: { error: 2 } })
  const lying = client({ type: 'lie', about: 'date' }).ask({
    ...{ apdu: 'get-request-normal', invoke: 0xc1, class: 7, obis: obis('1-0:99.2.0*255'), attribute: 2 },
    access: {
      selector: 2,
      parameters: {
        type: 'structure',
        value: [1, 1, 1, 1].map((value, index) => ({ type: index < 2 ? 'double-long-unsigned' : 'long-unsigned', value }))
      }
    }
  })
  const bytes = lying === undefined ? '' : Buffer.from(dlms.encodeApdu(lying)).toString('hex')
  t.match(bytes, /090c07e9021f/, '31 February')
  t.end()
})

t.test('options that do not fit together are refused', (t) => {
  const association = { client: 20, mechanism: 'low', rights: 'read' } as const
  const cases: readonly (readonly [string, DlmsMeterOptions])[] = [
    ['a password that is missing', { associations: [association] }],
    ['keys that are missing', { associations: [{ ...association, mechanism: 'gmac' }] }],
    ['keys of a ciphered association', { associations: [{ ...association, mechanism: 'none', ciphered: true }] }],
    ['a client with two associations', { password: 'x', associations: [association, association] }],
    ['a ciphered push without keys', { push: { everyMs: 1000, ciphered: true } }]
  ]
  for (const [what, options] of cases) {
    t.throws(() => logicalDevices([meter({ dlms: options })], wrapperAddress), { code: 'VALIDATION' }, what)
  }
  t.end()
})

t.test('a meter pushes on a line that is open, in its framing, and ciphered where it is told to', async (t) => {
  for (const framing of ['wrapper', 'hdlc'] as const) {
    for (const ciphered of [false, true]) {
      const options: DlmsMeterOptions = { keys, push: { everyMs: 20, client: 40, ciphered } }
      const bus = await startDlmsBus({ host: '127.0.0.1', port: 0, meters: [meter({ dlms: options })], dlms: { framing } })
      const socket = connect(bus.port, '127.0.0.1')
      const wrapper = new dlms.WrapperAssembler()
      const reader = new dlms.HdlcReader()
      const segments = new dlms.SegmentAssembler()
      let heard: Uint8Array | undefined
      while (heard === undefined) {
        const [chunk] = (await once(socket, 'data')) as [Uint8Array]
        if (framing === 'wrapper') {
          const [frame] = wrapper.push(chunk)
          t.match(frame, { source: 1, destination: 40 })
          heard = frame?.apdu
        } else {
          for (const event of reader.push(chunk)) if ('frame' in event) heard ??= segments.add(event.frame)?.apdu
        }
      }
      socket.destroy()
      await bus.close()
      const apdu = dlms.decodeApdu(heard)
      if (!apdu.ok) throw new Error(apdu.error.message)
      t.equal(apdu.value.apdu, ciphered ? 'general-glo-ciphering' : 'data-notification')
      const opened = ciphered && 'contents' in apdu.value ? opener().open(apdu.value) : apdu.value
      t.match(opened, {
        apdu: 'data-notification',
        time: { year: 2026 },
        body: { value: [{}, { value: Buffer.from('KAM0000012345678') }] }
      })
    }
  }
})

function opener(): dlms.CipherContext {
  const secret = { global: Buffer.from(keys.global, 'hex'), authentication: Buffer.from(keys.authentication, 'hex') }
  return new dlms.CipherContext({ keys: secret, ownTitle: Buffer.from('MMM00001') })
}

/** A small generator with a seed (mulberry32): the same noise in every run. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Requests of all kinds, whole: what mutations begin with. */
const requests: readonly dlms.Apdu[] = [
  aarq(),
  serial,
  total,
  { apdu: 'get-request-with-list', invoke: 0xc1, attributes: [{ class: 15, obis: obis('0-0:40.0.0*255'), attribute: 2 }] },
  { apdu: 'get-request-next', invoke: 0xc1, block: 1 },
  {
    apdu: 'set-request-normal',
    invoke: 0xc1,
    attribute: { class: 8, obis: obis('0-0:1.0.0*255'), attribute: 2 },
    value: dlms.dateTimeOctets(dlms.fromInstant(epochMs(Date.UTC(2026, 1, 2)), 'UTC'))
  },
  {
    apdu: 'set-request-with-first-datablock',
    invoke: 0xc1,
    attribute: { class: 1, obis: obis('0-0:96.1.1*255'), attribute: 2 },
    piece: { last: false, block: 1, raw: Uint8Array.of(9, 2) }
  },
  { apdu: 'set-request-with-datablock', invoke: 0xc1, piece: { last: true, block: 2, raw: Uint8Array.of(1, 2) } },
  {
    apdu: 'action-request-normal',
    invoke: 0xc1,
    method: { class: 70, obis: obis('0-0:96.3.10*255'), method: 1 },
    parameters: { type: 'integer', value: 0 }
  },
  { apdu: 'rlrq', reason: 0 }
]

t.test('whatever comes, a meter answers something of DLMS or nothing', (t) => {
  const seed = 20_261_124
  const next = chance(seed)
  const associations: DlmsMeterOptions['associations'] = [{ client: 16, mechanism: 'none', rights: 'manage' }]
  const simulated = meter({ digits: 4, startedAt: epochMs(Date.UTC(2026, 10, 20)), dlms: { associations, keys, disconnector: true } })
  const client = new Table(16, logicalDevices([simulated], wrapperAddress))
  const line = new HdlcLine(logicalDevices([simulated], hdlcAddress), {}, random)
  const counts = { answered: 0, silent: 0, framed: 0 }
  const upper = { destination: { size: 1, upper: 1 }, source: { size: 1, upper: 16 }, segmented: false } as const
  for (let round = 0; round < 1500; round += 1) {
    const whole = dlms.encodeApdu(requests[Math.floor(next() * requests.length)] ?? serial)
    const bytes = mutated(whole, next)
    // A wrapper cannot carry nothing.
    const answer = bytes.length === 0 ? undefined : client.bytes(bytes)
    if (answer === undefined) counts.silent += 1
    else {
      counts.answered += 1
      const decoded = dlms.decodeApdu(answer)
      if (!decoded.ok) t.fail(`seed ${seed}, round ${round}: ${Buffer.from(bytes).toString('hex')} is answered with no APDU`)
    }
    const kinds = ['SNRM', 'DISC', 'UI', 'UA'] as const
    const kind = kinds[Math.floor(next() * 12)]
    const numbers = { send: Math.floor(next() * 8), receive: Math.floor(next() * 8) }
    const control: dlms.HdlcControl = kind === undefined ? { kind: 'I', ...numbers, final: next() < 0.8 } : { kind, final: true }
    const frame = dlms.encodeHdlcFrame({
      ...upper,
      control,
      information: dlms.writeLlc({ direction: 'command', apdu: bytes.subarray(0, 100) })
    })
    for (const { answer: framed } of line.receive(next() < 0.5 ? frame : mutated(frame, next)))
      counts.framed += framed === undefined ? 0 : 1
  }
  t.ok(counts.answered > 1000 && counts.framed > 400, JSON.stringify(counts))
  t.end()
})

/** Flips, cuts or inserts a few bytes; sometimes leaves all as it was. */
function mutated(bytes: Uint8Array, next: () => number): Uint8Array {
  let result = Buffer.from(bytes)
  for (let left = Math.floor(next() * 4); left > 0; left -= 1) {
    const at = Math.floor(next() * result.length)
    const kind = next()
    if (kind < 0.6) result[at] = Math.floor(next() * 256)
    else if (kind < 0.8) result = result.subarray(0, at)
    else result = Buffer.concat([result.subarray(0, at), Uint8Array.of(Math.floor(next() * 256)), result.subarray(at)])
  }
  return result
}

t.test('pairs of client and meter are bounded on one connection', (t) => {
  const devices = logicalDevices([meter()], wrapperAddress)
  const line = new WrapperLine(devices, random)
  const from = (source: number, apdu: dlms.Apdu) => {
    const [exchange] = line.receive(dlms.encodeWrapper({ source, destination: 1, apdu: dlms.encodeApdu(apdu) }))
    return exchange?.answer?.bytes[8]
  }
  const associated = Array.from({ length: 1025 }, (_, index) => from(index + 1, aarq()))
  t.ok(associated.every((tag) => tag === 0x61))
  t.equal(from(1025, serial), 0xc4)
  t.equal(from(1, serial), 0xd8, 'the oldest association made room')
  t.end()
})
