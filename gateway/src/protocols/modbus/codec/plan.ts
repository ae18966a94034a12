import { layoutOf } from './layout.js'
import { mostBits, mostRegisters, type ReadRange, readsBits } from './pdu.js'
import type { ModbusProfile } from './profile.js'

/**
 * The fewest requests that read what the profile names. A value is never torn over two requests: its registers would be of two
 * instants. Neither is a stored record, whose value would be another's date's.
 */
export function planReads(profile: ModbusProfile, history: boolean): ReadRange[] {
  const wanted = layoutOf(profile).filter(({ kind, path }) => history || (kind !== 'history' && !path.startsWith('/history/')))
  return coalesce(wanted, profile.blockRegisters ?? mostRegisters, profile.gapRegisters ?? 0)
}

/**
 * Greedy from the lowest address on: a range joins the request before it as long as the block holds it. For ranges that do not
 * overlap no other way needs fewer requests, because none reaches further with its first, its second and so on.
 */
export function coalesce(wanted: readonly ReadRange[], block: number, gap: number): ReadRange[] {
  const plan: ReadRange[] = []
  const sorted = wanted.toSorted(
    (left, right) => left.function - right.function || left.address - right.address || left.count - right.count
  )
  for (const { function: code, address, count } of sorted) {
    const last = plan.at(-1)
    if (last !== undefined && last.function === code && address <= last.address + last.count + gap) {
      const joined = Math.max(last.count, address + count - last.address)
      if (joined <= (readsBits(code) ? mostBits : block)) {
        plan[plan.length - 1] = { ...last, count: joined }
        continue
      }
    }
    plan.push({ function: code, address, count })
  }
  return plan
}
