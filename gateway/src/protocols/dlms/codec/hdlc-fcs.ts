/** CRC of ISO/IEC 13239 (X.25): polynomial x16+x12+x5+1 reflected, begun with ones, complemented at the end. */
const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 1) === 0 ? crc >>> 1 : (crc >>> 1) ^ 0x8408
  return crc
})

/** The check sequence of bytes, as a number: it is sent low byte first (IEC 62056-46, 6.4.2 and 6.4.3). */
export function fcs16(bytes: Uint8Array): number {
  let crc = 0xffff
  for (let at = 0; at < bytes.length; at += 1) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return crc ^ 0xffff
}
