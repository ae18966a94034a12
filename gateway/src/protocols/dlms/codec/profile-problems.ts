import { isObis } from '@endeks/domain/metering'
import type { ProfileProblem } from '../../protocol.js'
import type { WrittenProfile } from './profile-schema.js'

/** What contradicts itself in a profile that fits the schema: the first problem first. */
export function problemsIn(profile: WrittenProfile): readonly ProfileProblem[] {
  return [
    ...nameProblems(profile),
    ...registerProblems(profile),
    ...bufferProblems(profile),
    ...pushProblems(profile),
    ...associationProblems(profile.association, '/association'),
    ...associationProblems(profile.commands?.association, '/commands/association'),
    ...creditProblems(profile)
  ]
}

function* nameProblems({ identity, registers, profileBuffer, association, push, commands }: WrittenProfile): Iterable<ProfileProblem> {
  const named: [string, string | undefined][] = [
    ['/identity/obis', identity.obis],
    ...registers.map((register, index): [string, string] => [`/registers/${index}/obis`, register.obis]),
    ['/profileBuffer/obis', profileBuffer?.obis],
    ...(profileBuffer?.captures ?? []).map((column, index): [string, string | undefined] => {
      return [`/profileBuffer/captures/${index}`, column === 'clock' || column === 'ignore' ? undefined : column]
    }),
    ['/association/counter', association?.counter],
    ['/commands/association/counter', commands?.association?.counter],
    ['/commands/set-clock/obis', commands?.['set-clock']?.obis],
    ['/commands/valve/obis', commands?.valve?.obis],
    ['/commands/credit/obis', commands?.credit?.obis],
    ...(push?.captures ?? []).map((column, index): [string, string | undefined] => {
      return [`/push/captures/${index}`, typeof column === 'string' ? undefined : (column.obis ?? column.scalerUnit)]
    })
  ]
  for (const [path, obis] of named) {
    if (obis !== undefined && !isObis(obis)) yield { path, message: `"${obis}" is not an OBIS code: each group is at most 255` }
  }
}

function* doubles(names: readonly (string | undefined)[], pathOf: (index: number) => string): Iterable<ProfileProblem> {
  for (const [index, name] of names.entries()) {
    const first = names.indexOf(name)
    if (name !== undefined && first < index) yield { path: pathOf(index), message: `"${name}" stands already at ${pathOf(first)}` }
  }
}

function* registerProblems({ registers }: WrittenProfile): Iterable<ProfileProblem> {
  yield* doubles(
    registers.map((register) => register.obis),
    (index) => `/registers/${index}/obis`
  )
  for (const [index, { invalid }] of registers.entries()) {
    if (invalid === undefined || typeof invalid === 'string') continue
    // By number: 0xFF and 0x00ff are the same bits.
    const bits = invalid.map((each) => `0x${BigInt(each).toString(16)}`)
    yield* doubles(bits, (at) => `/registers/${index}/invalid/${at}`)
  }
}

function* bufferProblems({ profileBuffer, registers }: WrittenProfile): Iterable<ProfileProblem> {
  const captures = profileBuffer?.captures
  if (captures === undefined) return
  const path = '/profileBuffer/captures'
  const clocks = captures.filter((column) => column === 'clock').length
  if (clocks !== 1) yield { path, message: `needs one clock column, not ${clocks}` }
  const named = captures.map((column) => (column === 'clock' || column === 'ignore' ? undefined : column))
  yield* doubles(named, (index) => `${path}/${index}`)
  for (const [index, column] of named.entries()) {
    if (column !== undefined && !registers.some((register) => register.obis === column))
      yield { path: `${path}/${index}`, message: `${column} is not among the registers` }
  }
}

function* pushProblems({ push, registers }: WrittenProfile): Iterable<ProfileProblem> {
  if (push === undefined) return
  const path = '/push/captures'
  const objects = push.captures.map((column) => (typeof column === 'string' ? {} : column))
  const values = objects.map(({ obis }) => obis)
  const scales = objects.map(({ scalerUnit }) => scalerUnit)
  const others = push.captures.map((column) => (column === 'identity' || column === 'clock' ? column : undefined))
  for (const names of [values, scales, others]) yield* doubles(names, (index) => `${path}/${index}`)
  if (!others.includes('identity')) yield { path, message: 'has no identity: nobody could tell whose values they are' }
  if (values.every((obis) => obis === undefined)) yield { path, message: 'has no value' }
  for (const [index, column] of push.captures.entries()) {
    if (typeof column === 'string') continue
    const { obis, scaler, unit, scalerUnit } = column
    const said = scaler !== undefined && unit !== undefined
    if (
      (obis === undefined) === (scalerUnit === undefined) ||
      (scaler === undefined) !== (unit === undefined) ||
      (said && scalerUnit !== undefined)
    )
      yield { path: `${path}/${index}`, message: 'is neither a value, with scaler and unit or without, nor the scaler and unit of one' }
    if (obis === undefined) continue
    if (!registers.some((register) => register.obis === obis))
      yield { path: `${path}/${index}`, message: `${obis} is not among the registers` }
    if (said === scales.includes(obis))
      yield { path: `${path}/${index}`, message: `${obis} needs its scaler and unit once: here, or as an element of the push` }
  }
}

function* associationProblems(association: WrittenProfile['association'], path: string): Iterable<ProfileProblem> {
  if (association === undefined) return
  const { authentication = 'none', protection = 'none', counter, general = false, dedicatedKey = false } = association
  const ciphered = protection !== 'none'
  if (counter !== undefined && !ciphered && authentication !== 'hls-gmac')
    yield { path: `${path}/counter`, message: 'has no use: nothing is ciphered and no challenge is answered' }
  if (dedicatedKey && !ciphered) yield { path: `${path}/dedicatedKey`, message: 'has no use: nothing is ciphered' }
  // The key itself travels in the AARQ: it must not be readable there.
  if (dedicatedKey && protection === 'authenticated')
    yield { path: `${path}/dedicatedKey`, message: 'would be sent in the clear: protection must be encrypted or both' }
  if (general && !ciphered) yield { path: `${path}/general`, message: 'has no use: nothing is ciphered' }
}

function* creditProblems({ commands }: WrittenProfile): Iterable<ProfileProblem> {
  const credit = commands?.credit
  if (credit !== undefined && (credit.attribute === undefined) === (credit.method === undefined))
    yield { path: '/commands/credit', message: 'has either an attribute or a method' }
}
