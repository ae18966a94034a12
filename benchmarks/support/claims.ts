/** A figure with what it has to be at least: the ratio is the contract, whatever machine this is. */
export interface Claim {
  readonly name: string
  readonly figure: number
  readonly unit: string
  readonly must: number
  readonly goal: number
  /** the figure is to be small */
  readonly atMost?: boolean
}

export function holds(claim: Claim, bound: number): boolean {
  return claim.atMost === true ? claim.figure <= bound : claim.figure >= bound
}

/** One line: the figure, must and goal beside it, and which of them it reaches. */
export function claimInWords(claim: Claim): string {
  const verdict = holds(claim, claim.goal) ? 'reaches the goal' : holds(claim, claim.must) ? 'holds' : 'DOES NOT HOLD'
  const { figure, unit, must, goal } = claim
  return `${claim.name.padEnd(78)} ${brief(figure)} ${unit} (must ${must}, goal ${goal}): ${verdict}`
}

/** Three figures say all that a busy machine can tell. */
export function brief(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 10_000) return `${Math.round(value / 1_000)} k`
  if (Math.abs(value) >= 100) return String(Math.round(value))
  return value.toPrecision(3)
}
