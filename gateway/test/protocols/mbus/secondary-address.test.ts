import fc from 'fast-check'
import t from 'tap'
import {
  type Command,
  control,
  encodeCommand,
  encodeLong,
  formatSecondary,
  isSelected,
  parseSecondary,
  readCommand,
  readFrame,
  readIdentity,
  type SecondaryAddress,
  secondaryOf
} from '../../../src/protocols/mbus/codec/index.js'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase()

function commandOf(frame: Uint8Array) {
  const read = readFrame(frame)
  if (!read.ok || read.value.type !== 'long') throw new Error('not a long frame')
  return readCommand(read.value)
}

t.test('a selection is written as the standard has it', (t) => {
  const address = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 22 }
  t.equal(hexOf(encodeCommand({ kind: 'select', address }, 253)), '680B0B6853FD52785634122D2C1B164016')
  t.equal(hexOf(encodeCommand({ kind: 'select', address: { id: '1FFFFFFF' } }, 253)), '680B0B6853FD52FFFFFF1FFFFFFFFFBA16')
  t.end()
})

t.test('the other commands are written as the standard has them', (t) => {
  t.equal(hexOf(encodeCommand({ kind: 'application-reset' }, 5, true)), '68030368730550C816')
  t.equal(hexOf(encodeCommand({ kind: 'application-reset', subcode: 0x10 }, 5)), '6804046853055010B816')
  t.equal(hexOf(encodeCommand({ kind: 'set-address', address: 8 }, 254)), '6806066853FE51017A082516')
  for (const address of [-1, 251, 1.5]) t.throws(() => encodeCommand({ kind: 'set-address', address }, 254), RangeError)
  t.throws(() => encodeCommand({ kind: 'data', records: new Uint8Array(253) }, 254), RangeError)
  t.end()
})

t.test('an address in text leaves out what may be anything', (t) => {
  t.same(parseSecondary('12345678'), { id: '12345678' })
  t.same(parseSecondary('12345678.KAM.27.6'), { id: '12345678', manufacturer: 'KAM', version: 27, medium: 6 })
  t.same(parseSecondary('12345678.*.*.7'), { id: '12345678', medium: 7 })
  t.equal(formatSecondary({ id: '12345678', medium: 7 }), '12345678.*.*.7')
  for (const wrong of [
    '1234567',
    '123456789',
    '1234567F',
    '12345678.',
    '12345678.KA',
    '12345678.KAM.255',
    '12345678.KAM.01',
    '12345678.KAM.1.2.3'
  ])
    t.equal(parseSecondary(wrong), undefined, wrong)
  t.end()
})

const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'warm-water' }
t.test('a selection means the devices that fit it', (t) => {
  const fits: readonly SecondaryAddress[] = [{ id: 'FFFFFFFF' }, { id: '1234F678' }, { id: '12345678', medium: 6 }, secondaryOf(identity)]
  const others: readonly SecondaryAddress[] = [
    { id: '2FFFFFFF' },
    { id: '12345678', medium: 7 },
    { id: '12345678', version: 1 },
    { id: '12345678', manufacturer: 'ELS' }
  ]
  for (const address of fits) t.ok(isSelected(address, identity), formatSecondary(address))
  for (const address of others) t.notOk(isSelected(address, identity), formatSecondary(address))
  t.same(secondaryOf({ id: '12345678', medium: 'water' }), { id: '12345678' }, 'the fixed structure names no maker')
  t.ok(isSelected({ id: '12345678', manufacturer: 'KAM', medium: 22 }, { id: '12345678', medium: 'water' }))
  t.same(secondaryOf({ ...identity, medium: 'reserved-77' }).medium, 77)
  t.end()
})

t.test('a meter that says of itself what no selection can name has an address nevertheless', (t) => {
  const odd = { id: '12345678', manufacturer: '@@@', version: 255, medium: 'reserved-255' }
  t.same(secondaryOf(odd), { id: '12345678' })
  for (const code of [0x0000, 0x7fff, 0x0421, 0xffff])
    for (const last of [0, 15, 22, 254, 255]) {
      const data = Uint8Array.of(0x78, 0x56, 0x34, 0x12, code & 0xff, code >> 8, last, last, 1, 0, 0, 0)
      const frame = readFrame(encodeLong(control.respondUserData, 1, 0x72, data))
      const said = frame.ok && frame.value.type === 'long' ? readIdentity(frame.value) : undefined
      if (said === undefined) throw new Error('the answer names no meter')
      const address = secondaryOf(said)
      t.same(parseSecondary(formatSecondary(address)), address, formatSecondary(address))
      t.ok(isSelected(address, said))
      t.equal(encodeCommand({ kind: 'select', address }, 253).length, 17)
    }
  t.end()
})

const letters = fc.stringMatching(/^[A-Z]{3}$/)
const byte = fc.integer({ min: 0, max: 254 })
const part = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const addresses = (id: RegExp): fc.Arbitrary<SecondaryAddress> =>
  fc
    .record({ id: fc.stringMatching(id), manufacturer: part(letters), version: part(byte), medium: part(byte) })
    .map((parts) => Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as unknown as SecondaryAddress)

t.test('decoding inverts encoding, in text and in bytes', (t) => {
  fc.assert(
    fc.property(addresses(/^[0-9A-E]{8}$/), (address) => {
      t.same(parseSecondary(formatSecondary(address)), address)
    }),
    { seed: 13_757, numRuns: 100 }
  )
  const commands: fc.Arbitrary<Command> = fc.oneof(
    addresses(/^[0-9A-F]{8}$/).map((address) => ({ kind: 'select', address }) as const),
    fc.integer({ min: 0, max: 255 }).map((subcode) => ({ kind: 'application-reset', subcode }) as const),
    fc.integer({ min: 0, max: 250 }).map((address) => ({ kind: 'set-address', address }) as const),
    fc.uint8Array({ minLength: 4, maxLength: 252 }).map((records) => ({ kind: 'data', records }) as const)
  )
  fc.assert(
    fc.property(commands, fc.boolean(), (command, bit) => {
      const read = commandOf(encodeCommand(command, 253, bit))
      if (command.kind === 'data') return read.ok && read.value.kind === 'data' && hexOf(read.value.records) === hexOf(command.records)
      t.same(read, { ok: true, value: command })
      return true
    }),
    { seed: 13_757, numRuns: 200 }
  )
  t.end()
})

t.test('what is no command of a master says why', (t) => {
  t.match(commandOf(encodeLong(control.respondUserData, 5, 0x72, new Uint8Array(12))), { ok: false, error: { code: 'MBUS_CONTROL_FIELD' } })
  t.match(commandOf(encodeLong(control.sendUserData, 5, 0x5b, new Uint8Array(12))), { ok: false, error: { code: 'MBUS_CI_UNSUPPORTED' } })
  t.match(commandOf(encodeLong(control.sendUserData, 253, 0x52, new Uint8Array(7))), {
    ok: false,
    error: { code: 'MBUS_HEADER_TRUNCATED' }
  })
  t.end()
})
