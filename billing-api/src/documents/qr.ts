import { AppError } from '@endeks/domain/errors'
import { applyBestMask } from './qr-mask.js'
import { functionPatterns, placeCodewords } from './qr-matrix.js'
import { blockLayout, lastVersion } from './qr-versions.js'
import { errorCorrection } from './reed-solomon.js'

export interface QrCode {
  /** 1 to 40 */
  readonly version: number
  /** modules on a side, without the quiet zone */
  readonly size: number
  /** row by row; 1 is dark */
  readonly dark: Uint8Array
}

/** Light modules that ISO/IEC 18004 clause 6.3.8 wants on every side. */
const quietZone = 4

/**
 * A QR code of this text in byte mode (UTF-8) at error correction level M, in the smallest version that holds it.
 *
 * @throws {AppError} DOCUMENT_RENDERING above 2,331 bytes, which the largest version holds
 * @see ISO/IEC 18004:2015
 */
export function qrCode(text: string): QrCode {
  const bytes = Buffer.from(text, 'utf8')
  const version = versionFor(bytes.length)
  const matrix = functionPatterns(version)
  placeCodewords(matrix, interleaved(dataCodewords(bytes, version), version))
  applyBestMask(matrix)
  return { version, size: matrix.size, dark: matrix.dark }
}

/** The code as an SVG image with its quiet zone: one path, so that no renderer leaves hairlines between rows. */
export function qrSvg(text: string): string {
  const { size, dark } = qrCode(text)
  let path = ''
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (dark[y * size + x] !== 1) continue
      let end = x + 1
      while (end < size && dark[y * size + end] === 1) end++
      path += `M${x + quietZone} ${y + quietZone}h${end - x}v1h-${end - x}z`
      x = end
    }
  }
  const side = size + 2 * quietZone
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" width="${side}" height="${side}"><path d="${path}"/></svg>`
}

/** The character count takes eight bits up to version 9 and sixteen above. Clause 7.4.1. */
function countBits(version: number): number {
  return version < 10 ? 8 : 16
}

function versionFor(length: number): number {
  for (let version = 1; version <= lastVersion; version++) {
    if (4 + countBits(version) + length * 8 <= blockLayout(version).data * 8) return version
  }
  throw new AppError('DOCUMENT_RENDERING', `a QR code holds 2,331 bytes at most, this text has ${length}: shorten it`, { length })
}

/** Mode, count, bytes, terminator and padding. Clauses 7.4.5, 7.4.9, 7.4.10. */
function dataCodewords(bytes: Uint8Array, version: number): Uint8Array {
  const codewords = new Uint8Array(blockLayout(version).data)
  let length = 0
  const append = (value: number, bits: number): void => {
    for (let bit = bits - 1; bit >= 0; bit--, length++) {
      const at = length >> 3
      codewords[at] = (codewords[at] ?? 0) | (((value >> bit) & 1) << (7 - (length & 7)))
    }
  }
  append(0b0100, 4)
  append(bytes.length, countBits(version))
  for (const byte of bytes) append(byte, 8)
  // the terminator is four light bits, fewer where no room is left; the array is light already
  length = Math.min(codewords.length * 8, length + 4)
  for (let at = Math.ceil(length / 8), pad = 0xec; at < codewords.length; at++, pad ^= 0xec ^ 0x11) codewords[at] = pad
  return codewords
}

/** Data in blocks, each with its correction, taken a codeword from every block in turn. Clauses 7.5.1 and 7.6. */
function interleaved(data: Uint8Array, version: number): Uint8Array {
  const { blocks, correction, total } = blockLayout(version)
  const shortLength = Math.floor(data.length / blocks)
  const shortBlocks = blocks - (data.length % blocks)
  const parts: { readonly data: Uint8Array; readonly correction: Uint8Array }[] = []
  for (let block = 0, at = 0; block < blocks; block++) {
    const length = block < shortBlocks ? shortLength : shortLength + 1
    const part = data.subarray(at, at + length)
    parts.push({ data: part, correction: errorCorrection(part, correction) })
    at += length
  }
  const result = new Uint8Array(total)
  let next = 0
  for (let index = 0; index <= shortLength; index++) {
    for (const part of parts) if (index < part.data.length) result[next++] = part.data[index] ?? 0
  }
  for (let index = 0; index < correction; index++) for (const part of parts) result[next++] = part.correction[index] ?? 0
  return result
}
