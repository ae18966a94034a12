import { drawFormat, type Matrix } from './qr-matrix.js'

/** Which modules a mask turns over, by column and row. ISO/IEC 18004 table 10. */
const conditions: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0
]

/** Turns over the data modules by the mask that leaves the fewest confusing shapes, and writes its number into the format. */
export function applyBestMask(matrix: Matrix): void {
  let best: { readonly dark: Uint8Array; readonly penalty: number } | undefined
  for (const [mask, condition] of conditions.entries()) {
    const tried: Matrix = { ...matrix, dark: masked(matrix, condition) }
    drawFormat(tried, mask)
    const penalty = penaltyOf(tried)
    if (best === undefined || penalty < best.penalty) best = { dark: tried.dark, penalty }
  }
  if (best !== undefined) matrix.dark.set(best.dark)
}

function masked({ size, dark, fixed }: Matrix, condition: (x: number, y: number) => boolean): Uint8Array {
  const result = Uint8Array.from(dark)
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x
      if (fixed[at] === 0 && condition(x, y)) result[at] = (result[at] ?? 0) ^ 1
    }
  }
  return result
}

/** Clause 7.8.3.1: runs of five, blocks of four, what looks like a finder pattern, and the balance of dark and light. */
function penaltyOf({ size, dark }: Matrix): number {
  let penalty = 0
  let darkCount = 0
  for (let line = 0; line < size; line++) {
    penalty += linePenalty(dark, size, line * size, 1) + linePenalty(dark, size, line, size)
  }
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = y * size + x
      const module = dark[at]
      darkCount += module ?? 0
      if (x + 1 < size && y + 1 < size && module === dark[at + 1] && module === dark[at + size] && module === dark[at + size + 1])
        penalty += 3
    }
  }
  return penalty + 10 * Math.floor(Math.abs(darkCount * 20 - size * size * 10) / (size * size))
}

/** 1:1:3:1:1 with four light modules before it or after it, as bits of the last eleven modules. */
const finderLike = new Set([0b10111010000, 0b00001011101])

function linePenalty(dark: Uint8Array, size: number, start: number, stride: number): number {
  let penalty = 0
  let run = 0
  let previous = 2
  let window = 0
  for (let index = 0, at = start; index < size; index++, at += stride) {
    const module = dark[at] ?? 0
    run = module === previous ? run + 1 : 1
    previous = module
    if (run === 5) penalty += 3
    else if (run > 5) penalty += 1
    window = ((window << 1) | module) & 0x7ff
    if (index >= 10 && finderLike.has(window)) penalty += 40
  }
  return penalty
}
