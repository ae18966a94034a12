/** A run of bytes: [from, to). */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** Hexadecimal text as pairs; a half byte at the end is left out. */
export function bytePairs(hex: string): string[] {
  return hex.match(/[0-9a-fA-F]{2}/g) ?? []
}

function bigEndian(value: bigint, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, '0')
}

function reversed(hex: string): string {
  return bytePairs(hex).reverse().join('')
}

/** Modbus registers of 16 bits with the low word first. */
function lowWordFirst(hex: string): string {
  return (hex.match(/.{4}/g) ?? []).reverse().join('')
}

function encodings(value: bigint): string[] {
  const found: string[] = []
  for (const bytes of [3, 4, 6, 8]) {
    if (value < 1n << BigInt(bytes * 8)) {
      const hex = bigEndian(value, bytes)
      found.push(hex, reversed(hex))
      if (bytes % 2 === 0) found.push(lowWordFirst(hex))
    }
    const digits = value.toString()
    if (digits.length <= bytes * 2) {
      const bcd = digits.padStart(bytes * 2, '0')
      found.push(bcd, reversed(bcd))
    }
  }
  return found
}

/**
 * Where a counter's value stands in the bytes, so that the eye finds it: as an integer or in BCD, high or low byte first.
 * An aid for reading, not a proof: the proof is the decoder's answer. The widest encoding that is found wins; null when the
 * value is not there, or is so small that its place is a guess.
 */
export function locateValue(hex: string, raw: string): ByteRange | null {
  if (!/^\d{1,24}$/.test(raw) || raw.replace(/^0+/, '').length < 3) return null
  const text = bytePairs(hex).join('').toLowerCase()
  const byWidth = encodings(BigInt(raw)).sort((left, right) => right.length - left.length)
  for (const encoding of byWidth) {
    const places = placesOf(text, encoding)
    const [only] = places
    if (places.length === 1 && only !== undefined) return { from: only, to: only + encoding.length / 2 }
  }
  return null
}

function placesOf(text: string, encoding: string): number[] {
  const places: number[] = []
  let at = text.indexOf(encoding)
  while (at >= 0 && places.length < 2) {
    if (at % 2 === 0) places.push(at / 2)
    at = text.indexOf(encoding, at + 1)
  }
  return places
}
