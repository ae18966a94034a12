import { alignmentCentres } from './qr-versions.js'

/** A square of modules under construction: `dark` is what is seen, `fixed` marks the function patterns, which carry no data. */
export interface Matrix {
  readonly size: number
  readonly dark: Uint8Array
  readonly fixed: Uint8Array
}

/** Finder, timing and alignment patterns and the version, with the place of the format kept free. ISO/IEC 18004 clause 6.3. */
export function functionPatterns(version: number): Matrix {
  const size = version * 4 + 17
  const matrix: Matrix = { size, dark: new Uint8Array(size * size), fixed: new Uint8Array(size * size) }
  for (let at = 0; at < size; at++) {
    set(matrix, 6, at, at % 2 === 0)
    set(matrix, at, 6, at % 2 === 0)
  }
  for (const [x, y] of [
    [3, 3],
    [size - 4, 3],
    [3, size - 4]
  ] as const) {
    square(matrix, x, y, 4)
  }
  const centres = alignmentCentres(version)
  const last = centres.length - 1
  for (const [row, y] of centres.entries()) {
    for (const [column, x] of centres.entries()) {
      // the three corners that a finder pattern holds
      if ((row === 0 && (column === 0 || column === last)) || (row === last && column === 0)) continue
      square(matrix, x, y, 2)
    }
  }
  drawFormat(matrix, 0)
  if (version >= 7) drawVersion(matrix, version)
  return matrix
}

/** Nested squares around a centre; radius 4 is a finder pattern with its separator, radius 2 an alignment pattern. */
function square(matrix: Matrix, centreX: number, centreY: number, radius: number): void {
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      const x = centreX + dx
      const y = centreY + dy
      if (x < 0 || y < 0 || x >= matrix.size || y >= matrix.size) continue
      const ring = Math.max(Math.abs(dx), Math.abs(dy))
      set(matrix, x, y, radius === 4 ? ring !== 2 && ring !== 4 : ring !== 1)
    }
  }
}

/** The fifteen bits of level M and the mask, in both copies. Clause 7.9: BCH (15,5) by 0x537, XORed with 0x5412. */
export function drawFormat(matrix: Matrix, mask: number): void {
  const { size } = matrix
  // level M is 00, so the data bits are the mask alone
  const bits = ((mask << 10) | bchRemainder(mask, 0x537, 10)) ^ 0x5412
  for (let index = 0; index < 15; index++) {
    const bit = ((bits >> index) & 1) === 1
    set(matrix, 8, index < 6 ? index : index < 8 ? index + 1 : size - 15 + index, bit)
    set(matrix, index < 8 ? size - 1 - index : index < 9 ? 7 : 14 - index, 8, bit)
  }
  set(matrix, 8, size - 8, true)
}

/** The eighteen bits of the version, in both copies. Clause 7.10: BCH (18,6) by 0x1F25. */
function drawVersion(matrix: Matrix, version: number): void {
  const bits = (version << 12) | bchRemainder(version, 0x1f25, 12)
  for (let index = 0; index < 18; index++) {
    const bit = ((bits >> index) & 1) === 1
    const long = matrix.size - 11 + (index % 3)
    const short = Math.floor(index / 3)
    set(matrix, long, short, bit)
    set(matrix, short, long, bit)
  }
}

function bchRemainder(data: number, generator: number, degree: number): number {
  let remainder = data
  for (let step = 0; step < degree; step++) remainder = (remainder << 1) ^ ((remainder >> (degree - 1)) & 1 ? generator : 0)
  return remainder
}

/** Lays the codewords in pairs of columns from the right, upwards and downwards in turn, around the patterns. Clause 7.7.3. */
export function placeCodewords(matrix: Matrix, codewords: Uint8Array): void {
  const { size, dark, fixed } = matrix
  let bit = 0
  let upwards = true
  for (let right = size - 1; right >= 1; right -= 2) {
    // the vertical timing pattern takes a column of its own
    if (right === 6) right = 5
    for (let step = 0; step < size; step++) {
      const y: number = upwards ? size - 1 - step : step
      for (const x of [right, right - 1]) {
        const at = y * size + x
        if (fixed[at] === 1) continue
        // what is left after the last codeword is light
        dark[at] = bit < codewords.length * 8 ? ((codewords[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1 : 0
        bit++
      }
    }
    upwards = !upwards
  }
}

function set(matrix: Matrix, x: number, y: number, dark: boolean): void {
  const at = y * matrix.size + x
  matrix.dark[at] = dark ? 1 : 0
  matrix.fixed[at] = 1
}
