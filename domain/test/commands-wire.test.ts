import t from 'tap'
import { commandKinds, isDeclared, parseAckMessage, parseCommandMessage } from '../src/wire/index.js'

const id = '01234567-89ab-4cde-8f01-23456789abcd'
const command = {
  v: 1,
  id,
  kind: 'valve',
  bus: 'cellar',
  address: '17',
  parameters: { position: 'closed' },
  requestedBy: 'ayse',
  issuedAt: 1_790_000_000_000,
  deadline: 1_790_000_600_000
}
const ack = { v: 1, id, state: 'failed', code: 'DLMS_TIMEOUT', message: 'nothing came', at: 1_790_000_000_000 }

t.test('a command has the parameters of its kind and no others', (t) => {
  const right: readonly [string, object][] = [
    ['read-now', {}],
    ['set-clock', {}],
    ['valve', { position: 'open' }],
    ['credit', { amount: '12.500', unit: 'm3' }]
  ]
  t.same(
    right.map(([kind]) => kind),
    [...commandKinds]
  )
  for (const [kind, parameters] of right) {
    const parsed = parseCommandMessage(JSON.stringify({ ...command, kind, parameters }))
    t.ok(parsed.ok, kind)
  }
  const wrong: readonly object[] = [
    { parameters: {} },
    { parameters: { position: 'half' } },
    { parameters: { position: 'open', force: true } },
    { kind: 'read-now' },
    { kind: 'credit', parameters: { amount: '-1', unit: 'm3' } },
    { kind: 'credit', parameters: { amount: '1e3', unit: 'm3' } },
    { kind: 'explode', parameters: {} },
    { id: '17' },
    { deadline: -1 },
    { bus: '' },
    { v: 2 },
    { more: 1 }
  ]
  for (const each of wrong) {
    const parsed = parseCommandMessage(JSON.stringify({ ...command, ...each }))
    t.equal(parsed.ok ? undefined : parsed.error.code, 'MESSAGE_MALFORMED', JSON.stringify(each))
  }
  t.notOk(parseCommandMessage('{').ok)
  t.end()
})

t.test('an answer is bounded in every part', (t) => {
  t.ok(parseAckMessage(JSON.stringify(ack)).ok)
  t.ok(parseAckMessage(JSON.stringify({ v: 1, id, state: 'done', result: { readings: 3, valve: 'closed' }, at: 1 })).ok)
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`a${'b'.repeat(index)}`, 1]))
  const wrong: readonly object[] = [
    { state: 'unknown' },
    { code: 'lower' },
    { message: 'x'.repeat(1_001) },
    { result: { nested: {} } },
    { result: many },
    { result: { 'a b': 1 } },
    { at: 1.5 }
  ]
  for (const each of wrong) t.notOk(parseAckMessage(JSON.stringify({ ...ack, ...each })).ok, JSON.stringify(each))
  t.end()
})

t.test('a way to ask stands in the standard of a protocol or in a profile', (t) => {
  const declared = { commands: { credit: {} } }
  t.ok(isDeclared('read-now', { protocol: 'modbus', profile: undefined }))
  t.ok(isDeclared('valve', { protocol: 'dlms', profile: {} }))
  t.notOk(isDeclared('valve', { protocol: 'modbus', profile: {} }))
  t.notOk(isDeclared('credit', { protocol: 'dlms', profile: { commands: null } }))
  t.ok(isDeclared('credit', { protocol: 'modbus', profile: declared }))
  t.end()
})
