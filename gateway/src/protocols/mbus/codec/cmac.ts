import { createCipheriv } from 'node:crypto'

export const aesBlock = 16

/** AES-CMAC by RFC 4493, which Node's crypto does not offer. @param key of 16 bytes */
export function aesCmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
  const encrypted = (block: Uint8Array): Uint8Array => cipher.update(block)
  const whole = message.length > 0 && message.length % aesBlock === 0
  const first = doubled(encrypted(new Uint8Array(aesBlock)))
  const padded = new Uint8Array(whole ? message.length : (Math.floor(message.length / aesBlock) + 1) * aesBlock)
  padded.set(message)
  if (!whole) padded[message.length] = 0x80
  xorInto(padded.subarray(padded.length - aesBlock), whole ? first : doubled(first))
  let state: Uint8Array = new Uint8Array(aesBlock)
  for (let start = 0; start < padded.length; start += aesBlock) {
    const block = padded.slice(start, start + aesBlock)
    xorInto(block, state)
    state = encrypted(block)
  }
  return state
}

/** Twice a block in the field of RFC 4493, 2.3: a shift to the left, and 87 where a bit fell out. */
function doubled(block: Uint8Array): Uint8Array {
  const out = block.map((byte, index) => ((byte << 1) | ((block[index + 1] ?? 0) >> 7)) & 0xff)
  if (((block[0] ?? 0) & 0x80) !== 0) out[aesBlock - 1] = (out[aesBlock - 1] ?? 0) ^ 0x87
  return out
}

function xorInto(target: Uint8Array, other: Uint8Array): void {
  for (const [index, byte] of other.entries()) target[index] = (target[index] ?? 0) ^ byte
}
