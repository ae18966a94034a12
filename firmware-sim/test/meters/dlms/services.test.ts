import { type Obis, obis } from '@endeks/domain/metering'
import { epochMs, toIso } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import t from 'tap'
import { logicalDevices } from '../../../src/meters/dlms/logical-device.js'
import type { DlmsMeterOptions } from '../../../src/meters/dlms/options.js'
import { wrapperAddress } from '../../../src/meters/dlms/wrapper-line.js'
import { aarq, hour, meter, startedAt, Table } from './bench.js'

const invoke = 0xc1
const note = { class: 1, obis: obis('0-0:96.1.1*255'), attribute: 2 } as const
const clock = { class: 8, obis: obis('0-0:1.0.0*255') } as const
const profile = { class: 7, obis: obis('1-0:99.2.0*255') } as const
const total = { class: 3, obis: obis('8-0:1.0.0*255') } as const
const valve = { class: 70, obis: obis('0-0:96.3.10*255') } as const
const zero: dlms.DlmsData = { type: 'integer', value: 0 }
const octets = (value: string | Uint8Array): dlms.DlmsData => ({ type: 'octet-string', value: Buffer.from(value) })

interface Setting {
  readonly rights?: 'identify' | 'read' | 'manage'
  readonly maxPduSize?: number
  readonly options?: DlmsMeterOptions
}

/** A client in an open association with a meter whose clock the test moves. */
function bench({ rights = 'manage', maxPduSize = 0xffff, options = {} }: Setting = {}) {
  let now = epochMs(Date.UTC(2026, 10, 24, 10, 20, 30))
  const associations: DlmsMeterOptions['associations'] = [{ client: 16, mechanism: 'none', rights }]
  const simulated = meter({ clock: { now: () => now }, dlms: { associations, ...options } })
  const client = new Table(16, logicalDevices([simulated], wrapperAddress))
  client.ask(aarq({ maxPduSize }))
  const ask = (request: dlms.Apdu): dlms.Apdu => {
    const answer = client.ask(request)
    if (answer === undefined) throw new Error('no answer')
    return answer
  }
  return {
    client,
    ask,
    wait: (ms: number) => {
      now = epochMs(now + ms)
    },
    get(object: { readonly class: number; readonly obis: Obis }, attribute: number, access?: dlms.SelectiveAccess): dlms.DlmsData | number {
      const selected = access === undefined ? {} : { access }
      const open = new dlms.OpenGet({ apdu: 'get-request-normal', invoke, ...object, attribute, ...selected })
      let answer = ask(open.request)
      for (;;) {
        const [result] = open.accept(answer) ?? []
        if (result !== undefined) return 'data' in result ? result.data : result.error
        answer = ask(open.next())
      }
    },
    set(target: dlms.AttributeTarget, value: dlms.DlmsData): number | string {
      const answer = ask({ apdu: 'set-request-normal', invoke, attribute: target, value })
      return answer.apdu === 'set-response-normal' ? answer.result : answer.apdu
    },
    act(object: { readonly class: number; readonly obis: Obis }, method: number, parameters?: dlms.DlmsData): number | string {
      const answer = ask({ apdu: 'action-request-normal', invoke, method: { ...object, method }, parameters })
      return answer.apdu === 'action-response-normal' ? answer.response.result : answer.apdu
    }
  }
}

/** The instant of a clock attribute. */
function instant(data: dlms.DlmsData | number): string | undefined {
  const time = typeof data === 'number' ? undefined : dlms.dateTimeOf(data)
  const at = time === undefined ? undefined : dlms.toInstant(time, 'Europe/Istanbul')
  return at === undefined ? undefined : toIso(at)
}

const blocksOf = (data: Uint8Array, size: number) =>
  dlms.cutBlocks(data, size).map((raw, index, all) => ({ last: index === all.length - 1, block: index + 1, raw }))

t.test('GET of a list gives each its value or its error, in blocks where it is long', (t) => {
  const attributes = [{ ...note }, { ...total, attribute: 2 }, { ...total, attribute: 9 }, { ...profile, attribute: 2 }]
  const whole = bench().ask({ apdu: 'get-request-with-list', invoke, attributes: attributes.slice(0, 3) })
  t.match(whole, { apdu: 'get-response-with-list', results: [{ data: { type: 'octet-string' } }, { data: {} }, { error: 3 }] })
  const { ask } = bench()
  const pieces: Uint8Array[] = []
  let answer = ask({ apdu: 'get-request-with-list', invoke, attributes })
  while (answer.apdu === 'get-response-with-datablock' && 'raw' in answer.result) {
    pieces.push(answer.result.raw)
    if (answer.last) break
    answer = ask({ apdu: 'get-request-next', invoke, block: answer.block })
  }
  const joined = dlms.decodeApdu(Buffer.concat([Uint8Array.of(0xc4, 3, invoke), ...pieces]))
  t.match(joined, { value: { results: [{}, {}, { error: 3 }, { data: { type: 'array', value: { length: 500 } } }] } })
  t.end()
})

t.test('a client without block transfer gets as much as it takes in one piece, and else is told that it cannot', (t) => {
  const client = new Table(16, [meter()])
  const whole: dlms.Apdu = { apdu: 'get-request-normal', invoke, ...profile, attribute: 2 }
  const plain = dlms.conformance('get', 'selective-access')
  client.ask(aarq({ conformance: plain }))
  t.match(client.ask(whole), { apdu: 'get-response-normal', result: { data: { type: 'array' } } })
  client.ask(aarq({ conformance: plain, maxPduSize: 1000 }))
  t.match(client.ask(whole), { apdu: 'get-response-normal', result: { error: 250 } })
  t.end()
})

t.test('a profile is read by entries and by columns', (t) => {
  const { get } = bench()
  const numbers = (...values: readonly number[]): dlms.DlmsData => ({
    type: 'structure',
    value: values.map((value, index) => ({ type: index < 2 ? 'double-long-unsigned' : 'long-unsigned', value }))
  })
  const shape = (data: dlms.DlmsData | number) =>
    typeof data !== 'number' && data.type === 'array' ? data.value.map((row) => (row.type === 'structure' ? row.value.length : 0)) : data
  const cases: readonly (readonly [string, dlms.DlmsData, unknown])[] = [
    ['the first three', numbers(1, 3, 1, 0), [2, 2, 2]],
    ['from the 499th on', numbers(499, 0, 1, 0), [2, 2]],
    ['only counters', numbers(499, 500, 2, 2), [1, 1]],
    ['behind the last one', numbers(501, 0, 1, 0), []],
    ['numbers begin at 1', numbers(0, 3, 1, 0), 12],
    ['a field is missing', { type: 'structure', value: [] }, 12]
  ]
  for (const [what, parameters, expected] of cases) t.same(shape(get(profile, 2, { selector: 2, parameters })), expected, what)
  t.equal(get(profile, 2, { selector: 3, parameters: numbers(1, 3, 1, 0) }), 12, 'a selector that profiles do not have')
  t.equal(get(total, 2, { selector: 1, parameters: numbers(1, 3, 1, 0) }), 12, 'an attribute without selectors')
  const range = dlms.rangeByClock({ from: epochMs(Date.UTC(2026, 10, 22)), to: epochMs(Date.UTC(2026, 10, 24)), zone: 'UTC' })
  const [restricting, from, to] = range.parameters.type === 'structure' ? range.parameters.value : []
  const columns = get(profile, 3)
  if (restricting === undefined || from === undefined || to === undefined || typeof columns === 'number' || columns.type !== 'array') {
    throw new Error('a range has three parts and columns')
  }
  const ranged = (wanted: readonly dlms.DlmsData[]) =>
    shape(
      get(profile, 2, { selector: 1, parameters: { type: 'structure', value: [restricting, from, to, { type: 'array', value: wanted }] } })
    )
  t.same(ranged(columns.value.slice(1)), [1, 1], 'a range with one column')
  t.equal(ranged([zero]), 12, 'a column that is none')
  t.end()
})

t.test('the same profile as compact-array', (t) => {
  const parameters: dlms.DlmsData = {
    type: 'structure',
    value: [1, 2, 1, 0].map((value, index) => ({ type: index < 2 ? 'double-long-unsigned' : 'long-unsigned', value }))
  }
  const rows = (compactArray: boolean) => bench({ options: { compactArray } }).get(profile, 2, { selector: 2, parameters })
  const [plain, compact] = [rows(false), rows(true)]
  t.match(compact, { type: 'compact-array', element: { elements: [{ type: 'octet-string' }, { type: 'double-long-unsigned' }] } })
  t.same(typeof compact !== 'number' && 'value' in compact && compact.value, typeof plain !== 'number' && 'value' in plain && plain.value)
  t.end()
})

t.test('SET whole, in blocks, of a list, and of a list in blocks', (t) => {
  const { ask, set, get } = bench()
  t.equal(set(note, octets('house 5')), 0)
  t.match(get(note, 2), octets('house 5'))
  const long = Buffer.alloc(700, 'x')
  const pieces = blocksOf(dlms.encodeData(octets(long)), 200)
  for (const piece of pieces) {
    const first = piece.block === 1
    const answer = ask(
      first
        ? { apdu: 'set-request-with-first-datablock', invoke, attribute: note, piece }
        : { apdu: 'set-request-with-datablock', invoke, piece }
    )
    const expected = piece.last ? { apdu: 'set-response-last-datablock', result: 0 } : { apdu: 'set-response-datablock' }
    t.match(answer, { ...expected, block: piece.block })
  }
  t.match(get(note, 2), octets(long))
  const attributes = [note, { ...total, attribute: 2 }, { class: 1, obis: obis('0-0:9.9.9*255'), attribute: 2 }]
  const values = [octets('a'), zero, zero]
  t.match(ask({ apdu: 'set-request-with-list', invoke, attributes, values }), { apdu: 'set-response-with-list', results: [0, 3, 4] })
  const list = dlms.encodeApdu({ apdu: 'set-request-with-list', invoke, attributes: [note, note], values: [octets('b'), zero] })
  const raw = list.subarray(list.length - dlms.encodeData(octets('b')).length - dlms.encodeData(zero).length - 1)
  const [first, second] = [raw.subarray(0, 2), raw.subarray(2)]
  t.match(
    ask({
      apdu: 'set-request-with-list-and-first-datablock',
      invoke,
      attributes: [note, note],
      piece: { last: false, block: 1, raw: first }
    }),
    { apdu: 'set-response-datablock', block: 1 }
  )
  t.match(ask({ apdu: 'set-request-with-datablock', invoke, piece: { last: true, block: 2, raw: second } }), {
    apdu: 'set-response-last-datablock-with-list',
    results: [0, 12],
    block: 2
  })
  t.match(get(note, 2), octets('b'))
  t.end()
})

t.test('blocks that do not belong together end the transfer', (t) => {
  const { ask, get } = bench()
  const piece = (block: number, raw = Uint8Array.of(9, 2, 65), last = false) => ({ last, block, raw })
  const further = (block: number, last = false, id = invoke): dlms.Apdu => ({
    apdu: 'set-request-with-datablock',
    invoke: id,
    piece: piece(block, Uint8Array.of(66), last)
  })
  const start = () => ask({ apdu: 'set-request-with-first-datablock', invoke, attribute: note, piece: piece(1) })
  t.match(ask(further(2)), { apdu: 'set-response-last-datablock', result: 18 }, 'none is in progress')
  start()
  t.match(ask(further(3)), { apdu: 'set-response-last-datablock', result: 19 }, 'one is missing')
  t.match(ask(further(2)), { result: 18 }, 'that ended it')
  start()
  t.match(ask(further(2, false, 0xc2)), { result: 18 }, 'another invocation')
  start()
  t.match(ask(further(2)), { apdu: 'set-response-datablock' })
  t.match(ask(further(3, true)), { apdu: 'set-response-last-datablock', result: 12 }, 'a byte too many')
  start()
  t.match(ask(further(2, true)), { result: 0 })
  t.match(get(note, 2), octets('AB'))
  const action: dlms.Apdu = { apdu: 'action-request-with-pblock', invoke, piece: piece(2) }
  t.match(ask(action), { response: { result: 16 } }, 'no long action')
  t.match(ask({ apdu: 'action-request-next-pblock', invoke, block: 1 }), { response: { result: 16 } })
  t.end()
})

t.test('ACTION in blocks and of a list, with long answers', (t) => {
  const { ask, get } = bench({ maxPduSize: 24, options: { disconnector: true } })
  const parameters = dlms.encodeData(zero)
  const method = { ...valve, method: 1 }
  const first = { last: false, block: 1, raw: parameters.subarray(0, 1) }
  t.match(ask({ apdu: 'action-request-with-first-pblock', invoke, method, piece: first }), {
    apdu: 'action-response-next-pblock',
    block: 1
  })
  const last = { last: true, block: 2, raw: parameters.subarray(1) }
  t.match(ask({ apdu: 'action-request-with-pblock', invoke, piece: last }), { apdu: 'action-response-normal', response: { result: 0 } })
  t.match(get(valve, 3), { type: 'enum', value: 0 })
  const methods = Array.from({ length: 20 }, (_, index) => ({ ...valve, method: index % 2 === 0 ? 2 : 9 }))
  const pieces: Uint8Array[] = []
  let answer = ask({ apdu: 'action-request-with-list', invoke, methods, values: methods.map(() => zero) })
  while (answer.apdu === 'action-response-with-pblock') {
    pieces.push(answer.piece.raw)
    if (answer.piece.last) break
    answer = ask({ apdu: 'action-request-next-pblock', invoke, block: answer.piece.block })
  }
  t.ok(pieces.length > 2, `${pieces.length} blocks`)
  const joined = dlms.decodeApdu(Buffer.concat([Uint8Array.of(0xc7, 3, invoke), ...pieces]))
  t.match(joined, { value: { responses: [{ result: 0 }, { result: 3 }, { result: 0 }] } })
  t.match(get(valve, 3), { type: 'enum', value: 1 })
  t.end()
})

t.test('an association does what it is for, and not more', (t) => {
  const names = (rights: Setting['rights']) => {
    const { get, set, act } = bench({ ...(rights === undefined ? {} : { rights }), options: { disconnector: true } })
    return [get(total, 2), set(note, octets('x')), act(valve, 1, zero)].map((each) => (typeof each === 'object' ? each.type : each))
  }
  t.same(names('identify'), [4, 'exception-response', 'exception-response'])
  t.same(names('read'), ['double-long-unsigned', 'exception-response', 'exception-response'])
  t.same(names('manage'), ['double-long-unsigned', 0, 0])
  const { set, act, client } = bench()
  t.equal(set({ ...total, attribute: 2 }, zero), 3, 'a total is not written')
  t.equal(act(total, 1, zero), 3, 'and not reset')
  t.equal(act({ class: 3, obis: obis('0-0:9.9.9*255') }, 1, zero), 4)
  const unconfirmed: dlms.Apdu = { apdu: 'set-request-normal', invoke: 0x01, attribute: note, value: octets('y') }
  t.equal(client.ask(unconfirmed), undefined, 'what is not to be confirmed is done in silence')
  const listed = bench({ rights: 'identify' }).get({ class: 15, obis: obis('0-0:40.0.0*255') }, 2)
  const elements = typeof listed !== 'number' && listed.type === 'array' ? listed.value : []
  const classes = elements.map((each) => (each.type === 'structure' && each.value[0]?.type === 'long-unsigned' ? each.value[0].value : 0))
  t.same(classes, [15, 1, 1, 8], 'the list has what the client may see')
  t.end()
})

t.test('a clock is set, adjusted and shifted; summer is known', (t) => {
  const { get, set, act, wait } = bench()
  const at = (iso: string) => dlms.dateTimeOctets(dlms.fromInstant(epochMs(Date.parse(iso)), 'Europe/Istanbul'))
  t.equal(instant(get(clock, 2)), '2026-11-24T10:20:30.000Z')
  t.equal(act(clock, 3, zero), 0, 'to the minute')
  t.equal(instant(get(clock, 2)), '2026-11-24T10:21:00.000Z')
  t.equal(act(clock, 1, zero), 0, 'to the quarter')
  t.equal(instant(get(clock, 2)), '2026-11-24T10:15:00.000Z')
  t.equal(act(clock, 6, { type: 'long', value: -60 }), 0)
  t.equal(act(clock, 6, { type: 'long', value: 901 }), 12, 'too far')
  t.equal(act(clock, 4, zero), 250, 'nothing is preset')
  const preset: dlms.DlmsData = {
    type: 'structure',
    value: [at('2026-11-24T12:00:00Z'), at('2026-11-24T10:00:00Z'), at('2026-11-24T11:00:00Z')]
  }
  t.equal(act(clock, 5, preset), 0)
  t.equal(act(clock, 4, zero), 0)
  wait(1500)
  t.equal(instant(get(clock, 2)), '2026-11-24T12:00:01.500Z')
  t.equal(set({ ...clock, attribute: 2 }, at('2026-11-24T10:20:32Z')), 0)
  t.equal(set({ ...clock, attribute: 2 }, octets(Buffer.from('07ea021fff00000000800000', 'hex'))), 12, '31 February')
  t.equal(set({ ...clock, attribute: 2 }, zero), 12)
  t.match(get(clock, 3), { type: 'long', value: -180 })
  t.match(get(clock, 8), { type: 'boolean', value: false }, 'Istanbul has no summer time')
  t.end()
})

t.test('summer time is told where the zone has it', (t) => {
  const july = meter({ zone: 'Europe/Berlin', now: epochMs(Date.UTC(2026, 6, 1, 12)) })
  const client = new Table(16, [july])
  client.ask(aarq())
  const hex = (attribute: number) => {
    const answer = client.ask({ apdu: 'get-request-normal', invoke, ...clock, attribute })
    if (answer?.apdu !== 'get-response-normal' || !('data' in answer.result)) return answer?.apdu
    return Buffer.from(dlms.encodeData(answer.result.data)).toString('hex')
  }
  t.equal(hex(2), '090c07ea0701ff0e000000ff8880', 'two hours ahead, and the bit of daylight saving')
  t.equal(hex(3), '10ffc4', 'one hour ahead in winter')
  t.equal(hex(5), '090c07eb031cff02000000ffc400', 'begins on 28 March 2027 at 2, winter time')
  t.equal(hex(6), '090c07ea0a19ff03000000ff8800', 'ends on 25 October 2026 at 3, summer time')
  t.equal(hex(7), '0f3c')
  t.equal(hex(8), '0301')
  t.end()
})

t.test('the dial stands while the valve is closed, across its rollover', (t) => {
  const { get, act, wait } = bench({ options: { disconnector: true } })
  const raw = () => {
    const data = get(total, 2)
    return typeof data !== 'number' && data.type === 'double-long-unsigned' ? data.value : Number.NaN
  }
  const before = raw()
  act(valve, 1, zero)
  t.match(get(valve, 2), { value: false })
  wait(10 * hour)
  t.equal(raw(), before)
  t.equal(act(valve, 1, zero), 0, 'closed already')
  act(valve, 2, zero)
  wait(2 * hour)
  t.equal(raw(), before + 14)
  t.equal(act(valve, 1), 12, 'the method has a parameter')
  t.end()
})

t.test('a profile is captured and reset by its methods, and remembers the clock as it was', (t) => {
  const { get, set, act, wait } = bench()
  const entries = () => {
    const data = get(profile, 7)
    return typeof data !== 'number' && 'value' in data ? data.value : data
  }
  t.equal(act(profile, 1, zero), 0)
  t.equal(entries(), 0)
  t.equal(act(profile, 2, zero), 0)
  wait(hour)
  const later = dlms.dateTimeOctets(dlms.fromInstant(epochMs(Date.UTC(2026, 10, 24, 15)), 'Europe/Istanbul'))
  set({ ...clock, attribute: 2 }, later)
  t.equal(act(profile, 2, zero), 0)
  const rows = get(profile, 2)
  const stamps = typeof rows !== 'number' && rows.type === 'array' ? rows.value : []
  t.same(
    stamps.map((row) => (row.type === 'structure' && row.value[0] !== undefined ? instant(row.value[0]) : undefined)),
    ['2026-11-24T10:20:30.000Z', '2026-11-24T15:00:00.000Z']
  )
  wait(24 * hour)
  t.equal(entries(), 3, 'midnight came')
  t.end()
})

t.test('what the other classes say', (t) => {
  const submeter = { serial: '87654321', manufacturer: 'ELS', version: 5, deviceType: 7 }
  const { get } = bench({ options: { submeter } })
  const mbus = { class: 72, obis: obis('0-1:24.1.0*255') }
  t.match(
    [6, 7, 8, 9].map((attribute) => get(mbus, attribute)),
    [{ value: 0x87654321 }, { value: 0x1593 }, { value: 5 }, { value: 7 }]
  )
  const billed = { class: 4, obis: obis('8-0:1.0.0*101') }
  const hours = Math.floor((Date.UTC(2026, 9, 31, 21) - startedAt) / hour)
  t.match(get(billed, 2), { value: hours * 7 }, 'the total at the last month end')
  t.equal(instant(get(billed, 5)), '2026-10-31T21:00:00.000Z')
  const association = { class: 15, obis: obis('0-0:40.0.0*255') }
  t.match(get(association, 8), { type: 'enum', value: 2 })
  t.match(get(association, 3), { value: [{ value: 16 }, { value: 1 }] })
  t.match(get(association, 4), octets(Buffer.from('60857405080101', 'hex')))
  t.match(get(association, 6), octets(Buffer.from('60857405080200', 'hex')))
  t.equal(get(association, 7), 3, 'a secret is not read')
  t.end()
})
