import { createHash } from 'node:crypto'
import { canonicalJson, type TariffDocument } from './tariff/index.js'

/** SHA-256 of the document's canonical JSON, in hex: what a bill freezes of its tariff. */
export function tariffHash(document: TariffDocument): string {
  return createHash('sha256').update(canonicalJson(document), 'utf8').digest('hex')
}
