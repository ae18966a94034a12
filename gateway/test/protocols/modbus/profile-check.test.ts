import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { modbus } from '../../../src/codec/index.js'
import { shippedProfiles } from '../../../src/config/profiles.js'
import type { ReadRange } from '../../../src/protocols/modbus/codec/pdu.js'
import { coalesce } from '../../../src/protocols/modbus/codec/plan.js'
import { profile } from './profile.js'

const register = { obis: '8-0:1.0.0*255', function: 3, address: 10, type: 'u32', scaler: 0, unit: 'L' } as const
const plain = {
  name: 'plain',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 4, type: 'ascii' },
  registers: [register]
} as const

function problems(change: Record<string, unknown>): string[] {
  const changed = { ...plain, ...change }
  if (!modbus.isModbusProfile(changed)) throw new Error(`the schema refuses ${JSON.stringify(change)}`)
  return modbus.modbusCodec.checkProfile(changed).map(({ path, message }) => `${path} ${message}`)
}

t.test('what a profile says wrongly is named with its place, and both places of an overlap', (t) => {
  t.same(problems({}), [])
  t.same(modbus.modbusCodec.checkProfile(profile), [])
  const other = { ...register, obis: '8-0:2.0.0*255' }
  t.match(problems({ registers: [register, { ...other, address: 11 }] }), [
    /^\/registers\/1 8-0:2\.0\.0\*255 .*10 to|11 to 12.* overlaps 8-0:1\.0\.0\*255 at \/registers\/0 .*10 to 11/
  ])
  t.same(problems({ registers: [register, { ...other, function: 4, address: 11 }] }), [], 'another function has other registers')
  t.match(problems({ registers: [{ ...register, address: 3 }] }), [/^\/registers\/0 .* overlaps the identity at \/identity/])
  t.match(problems({ registers: [{ ...register, address: 65_535 }] }), [/^\/registers\/0 reaches to 65536, past the last register, 65535/])
  t.match(problems({ registers: [{ ...register, scaler: { function: 3, address: 11, type: 'i16' } }] }), [/scaler of .* overlaps/])
  t.match(problems({ registers: [register, { ...register, address: 20 }] }), [/^\/registers\/1\/obis .* is \/registers\/0 already/])
  t.match(problems({ registers: [{ ...register, type: 'u16', invalid: ['0xFFFF', '0x10000'] }] }), [
    /^\/registers\/0\/invalid 0x10000 .* 16 bits/
  ])
  t.match(problems({ blockRegisters: 4, identity: { ...plain.identity, count: 8 } }), [/^\/identity has 8 registers/])
  t.match(problems({ identity: { ...plain.identity, type: 'u32' } }), [/^\/identity\/count is 4, and u32 takes 2/])
  t.match(problems({ addressBase: 1 }), [/^\/identity\/address is 0, and addressBase 1/])
  t.match(problems({ status: [{ function: 3, address: 20, means: 'leak' }] }), [/^\/status\/0\/bit is missing/])
  t.match(problems({ status: [{ function: 2, address: 20, bit: 1, means: 'leak' }] }), [/^\/status\/0\/bit is of no use/])
  t.same(
    problems({
      status: [
        { function: 3, address: 20, bit: 0, means: 'leak' },
        { function: 3, address: 20, bit: 1, means: 'tamper' }
      ]
    }),
    [],
    'conditions share a register'
  )
  t.end()
})

t.test('a block of stored records is checked like everything else', (t) => {
  const history = {
    function: 3,
    address: 100,
    entries: 2,
    stride: 4,
    timestamp: { offset: 0, type: 'date-bcd' },
    values: [{ ...register, function: undefined, address: undefined, offset: 2 }].map(({ function: _f, address: _a, ...each }) => each)
  }
  t.same(problems({ history }), [])
  t.match(problems({ history: { ...history, address: 9 } }), [/^\/history stored record 1 .* overlaps 8-0:1/])
  t.match(problems({ history: { ...history, address: 65_530 } }), [/^\/history reaches to 65537/])
  t.match(problems({ history, blockRegisters: 4, identity: { ...plain.identity, count: 2 } }), [])
  t.match(problems({ history: { ...history, timestamp: { offset: 1, type: 'date-bcd' } } }), [
    /values\/0 .* of the record.* overlaps the timestamp/
  ])
  const [value] = history.values
  t.match(problems({ history: { ...history, stride: 8, values: [value, { ...value, offset: 4 }] } }), [/^\/history\/values\/1\/obis/])
  t.end()
})

t.test('every shipped profile is without a problem', (t) => {
  const files = readdirSync(shippedProfiles).filter((name) => name.endsWith('.json'))
  for (const file of files) {
    const value: unknown = JSON.parse(readFileSync(`${shippedProfiles}/${file}`, 'utf8'))
    if (modbus.isModbusProfile(value)) t.same(modbus.modbusCodec.checkProfile(value), [], file)
  }
  t.end()
})

/** Every way to put ranges into requests, as lists of groups. */
function* partitions(ranges: readonly ReadRange[]): Generator<ReadRange[][]> {
  const [first, ...rest] = ranges
  if (first === undefined) return yield []
  for (const partition of partitions(rest)) {
    yield [[first], ...partition]
    for (const [index] of partition.entries()) {
      yield partition.map((group, place) => (place === index ? [first, ...group] : group))
    }
  }
}

/** The fewest requests, found by trying them all: each group's hull fits a block, and nothing unused in it is longer than the gap. */
function fewest(ranges: readonly ReadRange[], block: number, gap: number): number {
  const fits = (group: readonly ReadRange[]): boolean => {
    const from = Math.min(...group.map(({ address }) => address))
    const to = Math.max(...group.map(({ address, count }) => address + count))
    const inside = ranges.filter(({ address, count }) => address + count > from && address < to)
    const gaps = inside.slice(1).map((each, index) => each.address - (inside[index]?.address ?? 0) - (inside[index]?.count ?? 0))
    return to - from <= block && gaps.every((each) => each <= gap)
  }
  let least = ranges.length
  for (const partition of partitions(ranges)) if (partition.length < least && partition.every(fits)) least = partition.length
  return least
}

t.test('no way to read the same ranges needs fewer requests, and none is torn', (t) => {
  const place = fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 4 }))
  fc.assert(
    fc.property(fc.array(place, { maxLength: 6 }), fc.integer({ min: 4, max: 12 }), fc.nat(4), (places, block, gap) => {
      let next = 0
      const ranges = places.map(([before, count]): ReadRange => {
        const address = next + before
        next = address + count
        return { function: 3, address, count }
      })
      const plan = coalesce(ranges.toReversed(), block, gap)
      const whole = ranges.every((range) =>
        plan.some(({ address, count }) => range.address >= address && range.address + range.count <= address + count)
      )
      const wanted = plan.every(({ count }) => count <= block)
      return whole && wanted && plan.length === fewest(ranges, block, gap)
    }),
    { numRuns: 400 }
  )
  t.same(
    coalesce(
      [
        { function: 2, address: 0, count: 1 },
        { function: 2, address: 1, count: 1 },
        { function: 3, address: 0, count: 1 }
      ],
      4,
      0
    ),
    [
      { function: 2, address: 0, count: 2 },
      { function: 3, address: 0, count: 1 }
    ],
    'functions have registers of their own'
  )
  t.end()
})
