import { AppError } from '@endeks/domain/errors'
import { Sealer } from '@endeks/domain/process'

/** Every import takes the salt that is there: more than one is there only where two first imports met. */
const mostSalts = 16

/** Seals and opens meter keys with this process's secret. Deriving a key takes a core for some 60 ms, so it is done once a salt. */
export class KeyVault {
  readonly #secret: string
  readonly #sealers = new Map<string, Promise<Sealer>>()

  constructor(secret: string) {
    this.#secret = secret
  }

  sealerFor(salt: Uint8Array): Promise<Sealer> {
    const name = Buffer.from(salt).toString('hex')
    const known = this.#sealers.get(name)
    if (known !== undefined) return known
    if (this.#sealers.size >= mostSalts) this.#sealers.clear()
    const derived = Sealer.derive(this.#secret, salt)
    this.#sealers.set(name, derived)
    return derived
  }
}

/** @throws {AppError} KEY_MISSING where the service was started without the secret */
export function neededVault(vault: KeyVault | undefined): KeyVault {
  if (vault !== undefined) return vault
  throw new AppError('KEY_MISSING', 'this service has no secret to seal keys with: start it with ENDEKS_KEY_SECRET')
}
