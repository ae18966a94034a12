import type { DeviceIdentity } from '@endeks/domain/metering'
import type { ScanJob, Sighting } from '../protocol.js'
import { formatSecondary, highestPrimaryAddress, namedMedia, type SecondaryAddress, secondaryOf } from './codec/index.js'
import type { Target } from './session.js'

/** Selections of one search: a bus of meters that all answer brokenly must come to an end too. */
const mostSelections = 4_096
const versions = Array.from({ length: 255 }, (_, version) => version)

/** What one address gave. */
export type Attempt =
  | { readonly kind: 'silence' }
  | { readonly kind: 'meter'; readonly identity?: DeviceIdentity; readonly trouble?: string }
  /** something answered and could not be read; `garbled` where that were not even frames, as when several meters speak at once */
  | { readonly kind: 'trouble'; readonly garbled: boolean; readonly message: string }

/** Tries all primary addresses, then looks for meters by their numbers. A meter may be found by both ways, at two addresses. */
export async function* scanBus(job: ScanJob, attempt: (target: Target) => Promise<Attempt>): AsyncGenerator<Sighting> {
  const makers = new Set<string>()
  for (let address = 0; address <= highestPrimaryAddress; address++) {
    const sighting = sightingOf(String(address), await attempt(address))
    job.progress(address + 1, highestPrimaryAddress + 1)
    const maker = sighting?.identity && secondaryOf(sighting.identity).manufacturer
    if (maker !== undefined) makers.add(maker)
    if (sighting !== undefined) yield sighting
  }
  yield* new WildcardSearch(job, attempt, makers).under({ id: 'FFFFFFFF' })
}

/**
 * The search of EN 13757-7 over secondary addresses: where several meters answer to a selection, their answers collide, and each
 * narrower selection is tried, first the digits of the number, then what tells meters of one number apart.
 */
class WildcardSearch {
  readonly #job: ScanJob
  readonly #attempt: (target: Target) => Promise<Attempt>
  /** makers seen on this bus: there are 17,576 to be tried else */
  readonly #makers: Set<string>
  #selections = 0

  constructor(job: ScanJob, attempt: (target: Target) => Promise<Attempt>, makers: Set<string>) {
    this.#job = job
    this.#attempt = attempt
    this.#makers = makers
  }

  async *under(address: SecondaryAddress): AsyncGenerator<Sighting> {
    if (this.#selections === mostSelections) return
    this.#selections += 1
    const attempt = await this.#attempt(address)
    this.#job.progress(highestPrimaryAddress + 1 + this.#selections, undefined)
    if (attempt.kind === 'silence') return
    if (attempt.kind === 'meter' && attempt.identity !== undefined) {
      const { identity } = attempt
      const found = secondaryOf(identity)
      if (found.manufacturer !== undefined) this.#makers.add(found.manufacturer)
      const trouble = identity.id.includes('F')
        ? 'Its number has the digit F, which means any: read it by its primary address'
        : attempt.trouble
      yield { address: formatSecondary(found), identity, ...(trouble === undefined ? {} : { trouble }) }
      return
    }
    const narrower = this.#narrower(address, attempt)
    let found = false
    for (const each of narrower)
      for await (const sighting of this.under(each)) {
        found = true
        yield sighting
      }
    if (found) return
    const trouble = attempt.kind === 'meter' ? 'It does not say who it is' : attempt.message
    const unsearched = this.#selections === mostSelections ? `; the search ended after ${mostSelections} selections` : ''
    yield { address: formatSecondary(address), trouble: trouble + unsearched }
  }

  #narrower(address: SecondaryAddress, attempt: Attempt): readonly SecondaryAddress[] {
    const wildcard = address.id.indexOf('F')
    if (wildcard >= 0)
      return Array.from({ length: 10 }, (_, digit) => ({
        ...address,
        id: `${address.id.slice(0, wildcard)}${digit}${address.id.slice(wildcard + 1)}`
      }))
    // One meter that answers to its whole number, but not with data, will not do so to a narrower selection.
    if (attempt.kind !== 'trouble' || !attempt.garbled) return []
    if (address.medium === undefined) return namedMedia.map((medium) => ({ ...address, medium }))
    if (address.version === undefined) return versions.map((version) => ({ ...address, version }))
    return address.manufacturer === undefined ? Array.from(this.#makers, (manufacturer) => ({ ...address, manufacturer })) : []
  }
}

function sightingOf(address: string, attempt: Attempt): Sighting | undefined {
  if (attempt.kind === 'silence') return undefined
  if (attempt.kind === 'trouble')
    return { address, trouble: attempt.garbled ? `Several meters may answer at once (${attempt.message})` : attempt.message }
  const { identity, trouble } = attempt
  return { address, ...(identity === undefined ? {} : { identity }), ...(trouble === undefined ? {} : { trouble }) }
}
