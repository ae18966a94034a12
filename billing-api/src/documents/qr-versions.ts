/** Error correction codewords in each block at level M, by version. ISO/IEC 18004 table 9. */
const correctionPerBlock = [
  10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 28
]

/** Blocks at level M, by version. ISO/IEC 18004 table 9. */
const blockCounts = [
  1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45,
  47, 49
]

export const lastVersion = 40

export interface BlockLayout {
  readonly blocks: number
  readonly correction: number
  /** codewords of data and correction together */
  readonly total: number
  /** codewords of data in all blocks */
  readonly data: number
}

export function blockLayout(version: number): BlockLayout {
  const blocks = blockCounts[version - 1] ?? 0
  const correction = correctionPerBlock[version - 1] ?? 0
  const total = dataModules(version) >> 3
  return { blocks, correction, total, data: total - blocks * correction }
}

/** Modules that no function pattern takes. */
function dataModules(version: number): number {
  const size = version * 4 + 17
  const finders = 3 * 64
  const timing = 2 * (size - 16)
  const format = 31
  const versions = version >= 7 ? 36 : 0
  const rows = alignmentCentres(version).length
  // all but three of the grid's corners; those on a timing pattern share five modules with it
  const alignments = rows === 0 ? 0 : (rows * rows - 3) * 25 - (rows - 2) * 10
  return size * size - finders - timing - format - versions - alignments
}

/** Rows and columns of the alignment patterns: evenly spaced from the far end, the odd gap first. ISO/IEC 18004 annex E. */
export function alignmentCentres(version: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const far = version * 4 + 10
  // version 32 alone departs from the rule
  const step = version === 32 ? 26 : Math.ceil((far - 6) / (count - 1) / 2) * 2
  return [6, ...Array.from({ length: count - 1 }, (_, index) => far - step * (count - 2 - index))]
}
