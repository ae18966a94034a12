/** x^8 + x^4 + x^3 + x^2 + 1, the field of ISO/IEC 18004 clause 7.5.2. */
const fieldPolynomial = 0x11d

const powers = new Uint8Array(510)
const logarithms = new Uint8Array(256)
for (let exponent = 0, value = 1; exponent < 255; exponent++) {
  powers[exponent] = value
  powers[exponent + 255] = value
  logarithms[value] = exponent
  value <<= 1
  if (value > 255) value ^= fieldPolynomial
}

function multiply(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  return powers[(logarithms[a] ?? 0) + (logarithms[b] ?? 0)] ?? 0
}

/** Coefficients of (x - 1)(x - 2)(x - 4)... of this degree, without the leading one, highest first. */
function generatorOf(degree: number): Uint8Array {
  let generator = Uint8Array.of(1)
  for (let root = 0; root < degree; root++) {
    const next = new Uint8Array(generator.length + 1)
    for (const [index, coefficient] of generator.entries()) {
      next[index] = (next[index] ?? 0) ^ coefficient
      next[index + 1] = multiply(coefficient, powers[root] ?? 0)
    }
    generator = next
  }
  return generator.subarray(1)
}

const generators = new Map<number, Uint8Array>()

/** The `degree` error correction codewords of one block: the remainder of its data by the generator polynomial. */
export function errorCorrection(data: Uint8Array, degree: number): Uint8Array {
  let generator = generators.get(degree)
  if (generator === undefined) {
    generator = generatorOf(degree)
    generators.set(degree, generator)
  }
  const remainder = new Uint8Array(degree)
  for (const byte of data) {
    const factor = byte ^ (remainder[0] ?? 0)
    remainder.copyWithin(0, 1)
    remainder[degree - 1] = 0
    for (let index = 0; index < degree; index++) remainder[index] = (remainder[index] ?? 0) ^ multiply(generator[index] ?? 0, factor)
  }
  return remainder
}
