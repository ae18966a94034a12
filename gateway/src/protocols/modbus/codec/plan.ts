import { mostRegisters, type RegisterRange } from './mbap.js'
import { type ModbusProfile, valueTypes } from './profile.js'

/**
 * The fewest requests that read what the profile names. A value is never torn over two requests: its registers would be of two
 * instants.
 */
export function planReads(profile: ModbusProfile, history: boolean): RegisterRange[] {
  const wanted: RegisterRange[] = [
    { function: profile.identity.function, address: profile.identity.address, count: profile.identity.count },
    ...profile.registers.map((each) => ({ function: each.function, address: each.address, count: valueTypes[each.type] }))
  ]
  const block = profile.history
  if (history && block !== undefined) {
    for (let entry = 0; entry < block.entries; entry += 1) {
      wanted.push({ function: block.function, address: block.address + entry * block.stride, count: block.stride })
    }
  }
  wanted.sort((left, right) => left.function - right.function || left.address - right.address || left.count - right.count)
  return coalesce(wanted, profile.blockRegisters ?? mostRegisters, profile.gapRegisters ?? 0)
}

function coalesce(sorted: readonly RegisterRange[], block: number, gap: number): RegisterRange[] {
  const plan: RegisterRange[] = []
  for (const range of sorted) {
    const last = plan.at(-1)
    if (last !== undefined && last.function === range.function && range.address <= last.address + last.count + gap) {
      const count = Math.max(last.count, range.address + range.count - last.address)
      if (count <= block) {
        plan[plan.length - 1] = { ...last, count }
        continue
      }
    }
    plan.push(range)
  }
  return plan
}
