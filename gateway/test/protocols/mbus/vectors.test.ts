import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { mbusCodec } from '../../../src/protocols/mbus/codec/index.js'

/** The repository's root lies five folders above the compiled test; the vectors lie beside the repository. */
const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/vectors')
const positive = resolve(vectors, 'libmbus')
const negative = resolve(vectors, 'libmbus-negative')

interface Row {
  readonly function: string
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  readonly unit: string
  readonly value: string | null
}

/** Their names of units and functions in ours. A dash and nothing both mean "no unit". */
const units: Readonly<Record<string, string>> = { 'm^3': 'm3', 'm^3/h': 'm3/h', '-': '', 'Units for H.C.A.': 'HCA', l: 'L' }
const functions: Readonly<Record<string, string>> = {
  'Instantaneous value': 'instantaneous',
  'Actual value': 'instantaneous',
  'Maximum value': 'maximum',
  'Minimum value': 'minimum',
  'Value during error state': 'error',
  'Manufacturer specific': 'manufacturer-specific',
  'More records follow': 'more-records-follow'
}

function bytesOf(path: string): Uint8Array {
  return Buffer.from(readFileSync(path, 'latin1').replace(/[^0-9A-Fa-f]/g, ''), 'hex')
}

/** What they say of each record; undefined where they say nothing at all. */
function expectedRows(xml: string): (Row | undefined)[] {
  const rows: (Row | undefined)[] = []
  for (const [, body = ''] of xml.matchAll(/<DataRecord[^>]*>([\s\S]*?)<\/DataRecord>/g)) {
    const part = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? ''
    const unit = part('Unit')
    const row = {
      function: functions[part('Function')] ?? part('Function'),
      storage: Number(part('StorageNumber')),
      tariff: Number(part('Tariff')),
      subunit: Number(part('Device')),
      unit: units[unit] ?? unit,
      value: part('Value')
    }
    rows.push(body.trim() === '' ? undefined : row)
  }
  return rows
}

/** Numbers to 1e-6, relative or, as they print six places, absolute; anything else to the letter, but for blanks and their Z. */
function sameValue(ours: string | null, theirs: string | null): boolean {
  if (theirs === null || ours === null) return false
  const number = /^-?\d+(\.\d+)?$/
  if (number.test(theirs))
    return number.test(ours) && Math.abs(Number(ours) - Number(theirs)) <= 1e-6 * Math.max(1, Math.abs(Number(theirs)))
  const plain = (text: string): string => text.replace(/Z$/, '').replace(/ /g, '')
  return plain(ours) === plain(theirs)
}

function differences(ours: readonly Row[], theirs: readonly (Row | undefined)[]): string[] {
  const found = ours.length === theirs.length ? [] : [`${ours.length} records instead of ${theirs.length}`]
  for (const [index, expected] of theirs.entries()) {
    const row = ours[index]
    if (row === undefined) continue
    // Where they say nothing, ours may be there and must say that there is no value.
    if (expected === undefined) {
      if (row.value !== null) found.push(`${index} value: ${row.value} instead of nothing`)
      continue
    }
    for (const key of ['function', 'storage', 'tariff', 'subunit', 'unit'] as const)
      if (row[key] !== expected[key]) found.push(`${index} ${key}: ${row[key]} instead of ${expected[key]}`)
    if (!sameValue(row.value, expected.value)) found.push(`${index} value: ${row.value} instead of ${expected.value}`)
  }
  return found
}

/**
 * Where the standard (EN 13757-3:2018) is followed and the other decoder does something else; all other frames are equal in every
 * record.
 */
const followsTheStandard: Readonly<Record<string, readonly string[]>> = {
  // Annex A, type F: the bit IV says that the time is not valid. They print an empty date.
  'REL-Relay-Padpuls2.hex': ['1 value: null instead of 1900-01-00T00:00:00Z'],
  // Table 15, E101 ufnn: the data are the seconds for which a limit was exceeded, not the flow itself. They pass over the VIFE.
  'SEN_Pollustat.hex': ['12 unit: s instead of m3/h', '13 unit: s instead of m3/h'],
  // Annex B: BCD digits EBB4DD show an error. They add them up as if they were decimal.
  'abb_f95.hex': ['2 value: null instead of 1311041.300000', '3 value: null instead of 11.041300'],
  // EN 1434-3, unit code 3E: the unit of the first counter, at a fixed date. They print the row of the table.
  'manual_frame2.hex': ['1 unit: L instead of reserved but historic']
}

const skipPositive = existsSync(positive) ? false : 'no ../shared/vectors/libmbus'
const skipNegative = existsSync(negative) ? false : 'no ../shared/vectors/libmbus-negative'

t.test('recorded frames decode to the records that another decoder found in them', { skip: skipPositive }, (t) => {
  const names = readdirSync(positive).filter((name) => name.endsWith('.hex'))
  const different: Record<string, readonly string[]> = {}
  for (const name of names) {
    const decoded = mbusCodec.describeFrame(bytesOf(resolve(positive, name)))
    const theirs = expectedRows(readFileSync(resolve(positive, name.replace(/hex$/, 'norm.xml')), 'utf8'))
    const found = decoded.ok ? differences(decoded.value['records'] as Row[], theirs) : [`${decoded.error.code} ${decoded.error.message}`]
    if (found.length > 0) different[name] = found
  }
  t.comment(`${names.length - Object.keys(different).length} of ${names.length} frames are equal in every record`)
  for (const [name, found] of Object.entries(different)) t.comment(`${name}: ${found.join('; ')}`)
  t.equal(names.length, 53)
  t.same(different, followsTheStandard)
  t.end()
})

const media: Readonly<Record<string, string>> = {
  'Bus/System': 'bus-system',
  'Cold water': 'cold-water',
  'Heat / Cooling load meter': 'heat-cooling',
  'Heat Cost Allocator': 'heat-cost-allocator',
  'Heat: Inlet': 'heat-inlet',
  'Heat: Outlet': 'heat',
  'Warm water (30-90°C)': 'warm-water'
}

t.test('recorded headers name the device that another decoder found', { skip: skipPositive }, (t) => {
  for (const name of readdirSync(positive).filter((each) => each.endsWith('.hex'))) {
    const decoded = mbusCodec.describeFrame(bytesOf(resolve(positive, name)))
    const xml = readFileSync(resolve(positive, name.replace(/hex$/, 'norm.xml')), 'utf8')
    const part = (tag: string): string | undefined => new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(xml)?.[1]
    const medium = part('Medium') ?? ''
    const identity: Record<string, unknown> = { id: part('Id')?.padStart(8, '0'), medium: media[medium] ?? medium.toLowerCase() }
    if (part('Version') !== undefined) Object.assign(identity, { manufacturer: part('Manufacturer'), version: Number(part('Version')) })
    t.match(decoded, { ok: true, value: { identity, access: Number(part('AccessNumber')) } }, name)
  }
  t.end()
})

t.test('every cut of a recorded frame is a failure with a code', { skip: skipPositive }, (t) => {
  for (const name of readdirSync(positive).filter((each) => each.endsWith('.hex'))) {
    const bytes = bytesOf(resolve(positive, name))
    const codes = Array.from(bytes.keys(), (length) => {
      const cut = mbusCodec.describeFrame(bytes.subarray(0, length))
      return cut.ok ? 'ok' : cut.error.code
    })
    t.same(new Set(codes), new Set(['MBUS_EMPTY', 'MBUS_TRUNCATED']), name)
  }
  t.end()
})

t.test('broken frames get a code that says why', { skip: skipNegative }, (t) => {
  const codes: Record<string, string> = {}
  for (const name of readdirSync(negative).filter((each) => each.endsWith('.hex'))) {
    const decoded = mbusCodec.describeFrame(bytesOf(resolve(negative, name)))
    codes[name] = decoded.ok ? 'ok' : decoded.error.code
  }
  t.same(codes, {
    'error.hex': 'MBUS_APPLICATION_ERROR',
    'invalid_length.hex': 'MBUS_LENGTH',
    'manual_frame1.hex': 'MBUS_START_BYTE',
    'manual_frame4.hex': 'MBUS_CONTROL_FIELD',
    'manual_frame6.hex': 'MBUS_CONTROL_FIELD',
    'premature_end_of_data1.hex': 'MBUS_RECORD_TRUNCATED',
    'premature_end_of_dif2.hex': 'MBUS_RECORD_TRUNCATED',
    'premature_end_of_record.hex': 'MBUS_APPLICATION_ERROR',
    'premature_end_of_var_vif1.hex': 'MBUS_RECORD_TRUNCATED',
    'premature_end_of_vif1.hex': 'MBUS_RECORD_TRUNCATED',
    'too_long_var_vif.hex': 'MBUS_RECORD_TRUNCATED',
    'too_many_dife.hex': 'MBUS_TOO_MANY_DIFE',
    'too_many_difes.hex': 'MBUS_APPLICATION_ERROR',
    'too_many_readouts.hex': 'MBUS_APPLICATION_ERROR',
    'too_many_records.hex': 'MBUS_APPLICATION_ERROR',
    'too_many_vife.hex': 'MBUS_TOO_MANY_VIFE',
    'too_many_vifes.hex': 'MBUS_APPLICATION_ERROR',
    'too_short_header.hex': 'MBUS_HEADER_TRUNCATED',
    'unimplemented_ci.hex': 'MBUS_APPLICATION_ERROR'
  })
  t.end()
})
