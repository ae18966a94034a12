import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { KeyRing } from '../../src/keys/ring.js'
import { encodeResponse } from '../../src/protocols/mbus/codec/index.js'
import { busOfArguments } from '../../src/verbs/bus-choice.js'
import { probe } from '../../src/verbs/probe.js'
import { adviceFor, printable } from '../../src/verbs/words.js'
import { type Peer, PeerBus, peer } from '../protocols/mbus/bus-peer.js'
import { clock } from '../support/clock.js'
import { hear } from '../support/verb-tools.js'

const key = '000102030405060708090a0b0c0d0e0f'
const secret = 'the secret of this gateway'

const ciphered = encodeResponse({
  address: 7,
  identity: { id: '12345679', manufacturer: 'KAM', version: 27, medium: 'cold-water' },
  access: 1,
  status: 0,
  records: [{ quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } }],
  security: { mode: 5, key: Buffer.from(key, 'hex') }
})

/** A water meter at 5, and at 7 one that ciphers. */
function meters(t: Parameters<typeof peer>[0]): Promise<Peer> {
  const open = new PeerBus([{ address: 5, id: '12345678' }])
  return peer(t, (request) => {
    if (/^10(5b|7b)07/.test(request)) return ciphered
    return request.startsWith('104007') ? Buffer.of(0xe5) : open.answer(request)
  })
}

t.test('who stands there, what can be read, and the line for the site file', async (t) => {
  const { port } = await meters(t)
  const values = { protocol: 'mbus', host: '127.0.0.1', port: `${port}`, address: '5' }
  const { code, out } = await hear({}, (tools) => probe([], values, tools))
  t.equal(code, 0)
  const lines = out.split('\n')
  t.equal(lines[0], `5 on 127.0.0.1:${port}: KAM 12345678, version 27, cold-water`)
  t.ok(out.includes('volume m3 instantaneous storage 0'))
  t.same(JSON.parse(lines.at(-1) ?? ''), { address: '5', profile: 'generic-mbus-water', schedule: 'live' })
  const json = await hear({}, (tools) => probe([], { ...values, json: true }, tools))
  t.match(JSON.parse(json.out), {
    ok: true,
    identity: { id: '12345678', medium: 'cold-water' },
    profiles: ['generic-mbus-water'],
    meters: [{ profile: 'generic-mbus-water' }],
    request: /^10/,
    response: /16$/
  })
})

t.test('no answer is a code, what to do, and the bytes', async (t) => {
  const { port } = await meters(t)
  const values = { protocol: 'mbus', host: '127.0.0.1', port: `${port}`, address: '9', option: ['tries=1'], 'answer-within': '10' }
  const { code, out } = await hear({}, (tools) => probe([], values, tools))
  t.equal(code, 1)
  t.match(out, /^No answer to use from 9 on .*\nNO_ANSWER: .*\nWhat to do: .*scan.*\nsent: {5}10[0-9a-f]+\nreceived: nothing$/)
  const json = await hear({}, (tools) => probe([], { ...values, json: true }, tools))
  t.match(JSON.parse(json.out), { ok: false, code: 'NO_ANSWER', address: '9', request: /^10/, response: '' })
})

t.test('a meter that ciphers is named, and read with its key; a wrong key is told as what it may be', async (t) => {
  const { port } = await meters(t)
  const directory = t.testdir()
  const environment = { ENDEKS_KEYS: directory, ENDEKS_KEY_SECRET: secret }
  const ring = await KeyRing.open({ directory, secret, clock: clock() })
  await ring.import([
    { name: '12345679', secrets: { encryption: Buffer.from(key, 'hex') } },
    { name: 'wrong', secrets: { encryption: new Uint8Array(16).fill(0xab) } }
  ])
  const values = { protocol: 'mbus', host: '127.0.0.1', port: `${port}`, address: '7' }
  const keyless = await hear({ environment }, (tools) => probe([], values, tools))
  t.match(keyless, { code: 1, out: /^7 on .*KAM 12345679.*\nMBUS_ENCRYPTED: .*\nWhat to do: .*--key.*\nsent: .*\nreceived: .*68/ })
  const opened = await hear({ environment }, (tools) => probe([], { ...values, key: '12345679' }, tools))
  t.equal(opened.code, 0)
  t.same(JSON.parse(opened.out.split('\n').at(-1) ?? ''), {
    address: '7',
    profile: 'generic-mbus-water',
    key: '12345679',
    schedule: 'live'
  })
  const wrong = await hear({ environment }, (tools) => probe([], { ...values, key: 'wrong' }, tools))
  t.match(wrong, { code: 1, out: /MBUS_KEY_OR_DATA: .*wrong key or damaged/ })
  t.match(await hear({ environment }, (tools) => probe([], { ...values, key: 'none' }, tools)), {
    code: 'CONFIG_INVALID',
    err: /keys import/
  })
  t.match(await hear({}, (tools) => probe([], { ...values, key: '12345679' }, tools)), { code: 'CONFIG_INVALID', err: /ENDEKS_KEYS/ })
  for (const { out, err } of [keyless, opened, wrong]) t.notOk(`${out}${err}`.includes(key) || out.includes('abababab'))

  const site = join(directory, 'site.json')
  const entry = { address: '7', profile: 'generic-mbus-water', key: '12345679', schedule: 'hourly' }
  const buses = [{ name: 'risers', protocol: 'mbus', host: '127.0.0.1', port, meters: [entry] }]
  const schedules = { hourly: { everyMs: 3_600_000 } }
  writeFileSync(site, JSON.stringify({ gateway: 'G', zone: 'Europe/Istanbul', mqtt: { url: 'mqtt://127.0.0.1' }, schedules, buses }))
  const bySite = await hear({ environment }, (tools) => probe([site, 'risers', '7'], {}, tools))
  t.equal(bySite.code, 0)
  t.same(JSON.parse(bySite.out.split('\n').at(-1) ?? ''), entry, 'as the site file has it')
  for (const [positionals, options] of [
    [[site, 'cellar', '7'], {}],
    [[site, 'risers'], {}],
    [[site, 'risers', '7'], { port: '1' }],
    [[site, 'risers', '7'], { zone: 'UTC' }],
    [[site, 'risers', '999'], {}]
  ] as const) {
    t.match(await hear({ environment }, (tools) => probe(positionals, options, tools)), { code: 'CONFIG_INVALID', out: '' })
  }
})

t.test('a bus is described as in a site file, and every problem is listed', async (t) => {
  const wrong = { protocol: 'mbus', host: '127.0.0.1', port: 'x', serial: '/dev/ttyS0', option: ['colour=red', 'no'], 'answer-within': '5' }
  try {
    busOfArguments(wrong, undefined)
    t.fail('it was taken')
  } catch (thrown) {
    t.match(thrown, { code: 'CONFIG_INVALID' })
    for (const each of ['--option', '--answer-within', '/port', '/colour', '/serial/baudRate']) t.ok(String(thrown).includes(each), each)
  }
  t.throws(() => busOfArguments({ protocol: 'morse' }, undefined), { code: 'CONFIG_INVALID', message: /dlms, modbus|mbus/ })
  const serial = busOfArguments({ protocol: 'mbus', serial: '/dev/ttyS0', baud: '2400', parity: 'even', 'data-bits': '8' }, undefined)
  t.same(serial.options, { serial: { path: '/dev/ttyS0', baudRate: 2_400, parity: 'even', dataBits: 8 } })
})

t.test('a device can write nothing but text to a terminal, and every code has advice', async (t) => {
  t.equal(printable('\u{1b}[2Jab\u{9b}c\u{202e}'), '\u{fffd}[2Jab\u{fffd}c\u{fffd}')
  for (const code of ['NO_ANSWER', 'MBUS_CHECKSUM', 'DLMS_KEY', 'MODBUS_CRC', 'SOMETHING_NEW']) t.ok(adviceFor(code).length > 20)
})
