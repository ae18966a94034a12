import { Sealer } from '@endeks/domain/process'

/** The real derivation, each secret and salt once: a ring that is opened anew has the salt that it had. */
export function deriveOnce(): typeof Sealer.derive {
  const sealers = new Map<string, Promise<Sealer>>()
  return (secret, salt) => {
    const name = JSON.stringify([secret, ...salt])
    const derived = sealers.get(name) ?? Sealer.derive(secret, salt)
    sealers.set(name, derived)
    return derived
  }
}
