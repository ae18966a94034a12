import type { ProfileProblem } from '../../protocol.js'
import { layoutOf, type Placed, wireAddress } from './layout.js'
import { mostRegisters, readsBits } from './pdu.js'
import { isModbusProfile, type ModbusProfile, type ValueField } from './profile.js'
import { timestampTypes, type ValueType, valueTypes } from './types.js'

/** What the schema cannot say: places that overlap, values that do not fit, names given twice. */
export function checkProfile(profile: unknown): ProfileProblem[] {
  if (!isModbusProfile(profile)) return []
  const { registers, history } = profile
  const values = history?.values ?? []
  return [
    ...placeProblems(profile),
    ...overlapProblems(layoutOf(profile)),
    ...identityProblems(profile),
    ...doubles(registers, '/registers'),
    ...doubles(values, '/history/values'),
    ...registers.flatMap((each, index) => invalidProblems(each, `/registers/${index}`)),
    ...values.flatMap((each, index) => invalidProblems(each, `/history/values/${index}`)),
    ...recordProblems(profile),
    ...statusProblems(profile),
    ...commandProblems(profile)
  ]
}

function placeProblems(profile: ModbusProfile): ProfileProblem[] {
  const block = profile.blockRegisters ?? mostRegisters
  const base = profile.addressBase ?? 0
  const seen = new Set<string>()
  const problems: ProfileProblem[] = []
  const report = (path: string, message: string): void => {
    // Stored records share a path, and one of them says it all.
    if (!seen.has(path)) problems.push({ path, message })
    seen.add(path)
  }
  for (const { path, function: code, address, count } of layoutOf(profile)) {
    if (address < 0) report(`${path}/address`, `is 0, and addressBase ${base} says that the first register is ${base}`)
    if (address + count > 65_536) {
      report(path, `reaches to ${address + base + count - 1}, past the last register, ${65_535 + base}`)
    }
    if (!readsBits(code) && count > block) report(path, `has ${count} registers, and blockRegisters allows ${block} in one answer`)
  }
  return problems
}

/** Pairs that share registers and may not: what is both a counter's digits and something else is wrong in one of the two. */
function overlapProblems(layout: readonly Placed[]): ProfileProblem[] {
  const sorted = layout.toSorted((left, right) => left.function - right.function || left.address - right.address)
  const problems = new Map<string, ProfileProblem>()
  let reaching: Placed[] = []
  for (const each of sorted) {
    reaching = reaching.filter((other) => other.function === each.function && other.address + other.count > each.address)
    for (const other of reaching) {
      if (mayShare(other, each)) continue
      const [first, second] = layout.indexOf(other) < layout.indexOf(each) ? [other, each] : [each, other]
      problems.set(`${first.path} ${second.path}`, {
        path: second.path,
        message: `${second.name} (${rangeOf(second)}) overlaps ${first.name} at ${first.path} (${rangeOf(first)})`
      })
    }
    reaching.push(each)
  }
  return [...problems.values()]
}

/** Several values may have one scaler, and several conditions one register. */
function mayShare(left: Placed, right: Placed): boolean {
  return left.kind === right.kind && (left.kind === 'scaler' || left.kind === 'status')
}

function rangeOf({ function: code, address, count }: Placed): string {
  return `function ${code}, ${address} to ${address + count - 1} on the wire`
}

function identityProblems({ identity }: ModbusProfile): ProfileProblem[] {
  if (identity.type === 'ascii') return []
  const needed = valueTypes[identity.type]
  if (identity.count === needed) return []
  return [{ path: '/identity/count', message: `is ${identity.count}, and ${identity.type} takes ${needed}` }]
}

function doubles(fields: readonly ValueField[], path: string): ProfileProblem[] {
  return fields.flatMap(({ obis }, index) => {
    const first = fields.findIndex((each) => each.obis === obis)
    return first === index ? [] : [{ path: `${path}/${index}/obis`, message: `"${obis}" is ${path}/${first} already` }]
  })
}

function invalidProblems({ invalid, type }: ValueField, path: string): ProfileProblem[] {
  const all = typeof invalid === 'string' ? [invalid] : (invalid ?? [])
  const width = BigInt(valueTypes[type] * 16)
  return all
    .filter((each) => BigInt(each) >> width !== 0n)
    .map((each) => ({ path: `${path}/invalid`, message: `${each} does not fit ${type satisfies ValueType}, which has ${width} bits` }))
}

/** The fields of a stored record are places of their own within it. */
function recordProblems({ history }: ModbusProfile): ProfileProblem[] {
  if (history === undefined) return []
  const place = (path: string, name: string, offset: number, count: number): Placed => ({
    kind: 'register',
    path,
    name,
    function: history.function,
    address: offset,
    count
  })
  const { timestamp, values } = history
  return overlapProblems([
    place('/history/timestamp', 'the timestamp', timestamp.offset, timestampTypes[timestamp.type]),
    ...values.map((each, index) => place(`/history/values/${index}`, each.obis, each.offset, valueTypes[each.type]))
  ]).map(({ path, message }) => ({ path, message: message.replaceAll('on the wire', 'of the record') }))
}

function statusProblems({ status = [] }: ModbusProfile): ProfileProblem[] {
  return status.flatMap((each, index) => {
    const path = `/status/${index}/bit`
    if (readsBits(each.function) === (each.bit === undefined)) return []
    return [{ path, message: each.bit === undefined ? 'is missing: which bit of the register' : 'is of no use: an input is one bit' }]
  })
}

function commandProblems(profile: ModbusProfile): ProfileProblem[] {
  const { valve, credit, 'set-clock': clock } = profile.commands ?? {}
  const places = [
    { path: '/commands/valve', entry: valve, count: valve?.function === 16 ? valueTypes[valve.type ?? 'u16'] : 1 },
    { path: '/commands/credit', entry: credit, count: credit === undefined ? 1 : valueTypes[credit.type] },
    { path: '/commands/set-clock', entry: clock, count: clock === undefined ? 1 : timestampTypes[clock.type] }
  ]
  const problems = places.flatMap(({ path, entry, count }) => {
    if (entry === undefined) return []
    const first = wireAddress(profile, entry.address)
    if (first >= 0 && first + count <= 65_536) return []
    return [
      { path: `${path}/address`, message: `is ${entry.address}, and what is written there would not lie within 0 to 65535 on the wire` }
    ]
  })
  if (valve?.function === 5 && [valve.open, valve.closed].some((each) => each > 1))
    problems.push({ path: '/commands/valve', message: 'sets a coil, which is 1 or 0' })
  if (valve !== undefined && valve.open === valve.closed) problems.push({ path: '/commands/valve', message: 'opens and closes alike' })
  if (valve?.type !== undefined && valve.function !== 16)
    problems.push({ path: '/commands/valve/type', message: 'is of function 16: one coil or register has none' })
  if (credit?.function === 6 && credit.type !== 'u16')
    problems.push({ path: '/commands/credit/type', message: `is ${credit.type}, and function 6 writes one register` })
  return problems
}
