/** A month as people write it, YYYY-MM, moved by whole months. */
export function shiftMonth(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const index = year * 12 + (number - 1) + by
  return `${Math.floor(index / 12)}-${((index % 12) + 1).toString().padStart(2, '0')}`
}

/** `count` months that end with `last`, oldest first. */
export function monthsUntil(last: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => shiftMonth(last, index + 1 - count))
}
