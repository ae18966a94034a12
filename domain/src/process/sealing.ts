import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes, scrypt } from 'node:crypto'

/** A secret that somebody may have typed; shorter ones are found by trying. */
export const leastSecretLength = 16
export const saltBytes = 16

const cipher = 'aes-256-gcm'
const keyBytes = 32
/** SP 800-38D clause 8.2.2: a random nonce of 96 bits is good for 2^32 seals under one key. */
const nonceBytes = 12
const tagBytes = 16
/** scrypt, because the secret may be a phrase: a guess costs 32 MB and some 60 ms, and so does the start of a process. */
const cost = { N: 2 ** 15, r: 8, p: 1, maxmem: 48 * 1_048_576 } as const

/**
 * Seals small secrets for storage (AES-256-GCM). The key is derived from the process's secret and a salt that is kept beside
 * what was sealed. Whatever prints this object prints no key.
 */
export class Sealer {
  readonly #key: KeyObject

  private constructor(key: KeyObject) {
    this.#key = key
  }

  static derive(secret: string, salt: Uint8Array): Promise<Sealer> {
    return new Promise((resolve, reject) => {
      scrypt(secret.normalize('NFKC'), salt, keyBytes, cost, (error, derived) => {
        if (error === null) resolve(new Sealer(createSecretKey(derived)))
        else reject(error)
      })
    })
  }

  /** @param context what the secret is for; only with the same words does it open again, so that sealed texts cannot be swapped */
  seal(plain: Uint8Array, context: readonly string[]): Uint8Array {
    const nonce = randomBytes(nonceBytes)
    const sealing = createCipheriv(cipher, this.#key, nonce, { authTagLength: tagBytes }).setAAD(contextBytes(context))
    const text = Buffer.concat([sealing.update(plain), sealing.final()])
    return Uint8Array.from(Buffer.concat([nonce, sealing.getAuthTag(), text]))
  }

  /** @returns undefined where it does not open: another secret, another context or damaged bytes, and none can tell which */
  open(sealed: Uint8Array, context: readonly string[]): Uint8Array | undefined {
    if (sealed.length < nonceBytes + tagBytes) return undefined
    const opening = createDecipheriv(cipher, this.#key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes })
    opening.setAAD(contextBytes(context)).setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes))
    const text = opening.update(sealed.subarray(nonceBytes + tagBytes))
    try {
      return Uint8Array.from(Buffer.concat([text, opening.final()]))
    } catch (thrown) {
      // `final` throws a plain Error for a tag that does not fit, and nothing else.
      if (thrown instanceof Error) return undefined
      throw thrown
    }
  }
}

export function newSalt(): Uint8Array {
  return Uint8Array.from(randomBytes(saltBytes))
}

/** JSON of the list, because joined words could be cut elsewhere. */
function contextBytes(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context), 'utf8')
}
