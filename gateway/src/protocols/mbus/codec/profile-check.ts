import type { ProfileProblem } from '../../protocol.js'
import { storedAtFixedDate } from './fixed-structure.js'
import { isMbusProfile, type MbusRegister } from './profile.js'

/**
 * What a profile's schema cannot say: two registers that mean one record, one register that means two, and one that no meter can
 * fill.
 */
export function problemsOfProfile(profile: unknown): readonly ProfileProblem[] {
  if (!isMbusProfile(profile)) return [{ path: '', message: 'is not a profile for M-Bus' }]
  const problems: ProfileProblem[] = []
  const { registers } = profile
  for (const [index, register] of registers.entries()) {
    const path = `/registers/${index}`
    const { qualifiers = [] } = register
    if (new Set(qualifiers).size < qualifiers.length) problems.push({ path: `${path}/qualifiers`, message: 'names a qualifier twice' })
    if (qualifiers.includes(storedAtFixedDate))
      problems.push({ path: `${path}/qualifiers`, message: 'means a value whose date no meter tells: it is never a reading' })
    for (const [before, other] of registers.slice(0, index).entries()) {
      const problem = clashOf(register, other)
      if (problem !== undefined) problems.push({ path, message: problem.replace('#', `/registers/${before}`) })
    }
  }
  return problems
}

function clashOf(register: MbusRegister, other: MbusRegister): string | undefined {
  const sameRecord = recordOf(register) === recordOf(other)
  if (sameRecord && register.storage === other.storage) return 'means the same record as #'
  if (register.obis !== other.obis) return sameRecord ? 'stands under another OBIS code than the same counter in #' : undefined
  if (register.storage === other.storage) return 'has the OBIS code of #, so that both would be one register'
  return sameRecord ? undefined : 'has the OBIS code of #, whose current and stored values would be different counters'
}

/** Which counter of a meter a register means, whatever the storage. */
function recordOf({ quantity, function: kind, tariff, subunit, qualifiers = [] }: MbusRegister): string {
  return [quantity, kind, tariff, subunit, ...qualifiers.toSorted()].join(' ')
}
