import { failure, type Result, success } from '@endeks/domain/result'
import { type DecodeFailure, HeldKeys, type MeterKeys } from '@endeks/gateway/codec'
import type { KeyVault } from '../../../key-vault.js'
import type { Database } from '../../../store/query.js'
import { openRow } from '../../meter-keys/import.js'
import { type SealedRow, versionsOf } from '../../meter-keys/store.js'
import type { EvidenceRow } from '../store/evidence.js'
import type { BilledIndex } from './evidence.js'

/** An exchange's keys: none where it was not ciphered, and why not where they are not to be had. */
export type ExchangeKeys = Result<MeterKeys | undefined, DecodeFailure>

/**
 * The keys of each exchange in the version that it names. A key has the name of its meter: what the device says that it is, where
 * two makers share a number with the maker before it (KAM-12345678), or the serial number of a meter that was billed from the
 * exchange.
 */
export async function keysOfExchanges(
  database: Database,
  vault: KeyVault | undefined,
  exchanges: readonly EvidenceRow[],
  indexes: readonly BilledIndex[]
): Promise<ReadonlyMap<string, ExchangeKeys>> {
  const ciphered = exchanges.filter((row) => row.key_version > 0)
  const namesOf = (row: EvidenceRow): string[] => {
    const billed = indexes.filter((each) => each.exchange === row.exchange).map((each) => each.serial)
    return [...new Set([...identityNames(row.identity), ...billed])]
  }
  const stored = ciphered.length === 0 ? [] : await versionsOf(database, [...new Set(ciphered.flatMap(namesOf))])
  const found = new Map<string, ExchangeKeys>()
  for (const row of ciphered) {
    const names = namesOf(row)
    const sealed = names.flatMap((name) => stored.find((each) => each.name === name && each.version === row.key_version) ?? [])[0]
    found.set(row.exchange, sealed === undefined ? missing(names.join(' or '), row.key_version) : await opened(vault, sealed))
  }
  return found
}

function missing(name: string, version: number): ExchangeKeys {
  const message = `the conversation was ciphered, and version ${version} of the key of ${name} is not here: import the maker's key file`
  return failure({ code: 'KEY_MISSING', message })
}

async function opened(vault: KeyVault | undefined, row: SealedRow): Promise<ExchangeKeys> {
  if (vault === undefined) {
    return failure({
      code: 'KEY_MISSING',
      message: 'the conversation was ciphered, and this service was started without ENDEKS_KEY_SECRET'
    })
  }
  const secrets = openRow(await vault.sealerFor(row.salt), row)
  if (secrets !== undefined) return success(new HeldKeys(row, secrets))
  const message = `the key of ${row.name} does not open: either ENDEKS_KEY_SECRET is another, or it was changed`
  return failure({ code: 'KEYS_UNREADABLE', message })
}

/** The more telling name first. */
function identityNames(identity: unknown): string[] {
  if (typeof identity !== 'object' || identity === null || !('id' in identity) || typeof identity.id !== 'string') return []
  const { id } = identity
  return 'manufacturer' in identity && typeof identity.manufacturer === 'string' ? [`${identity.manufacturer}-${id}`, id] : [id]
}
