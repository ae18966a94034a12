import { obis } from '@endeks/domain/metering'
import { ReadFailure, type ScanJob, type Sighting } from '../protocol.js'
import { attributes } from './codec/object-classes.js'
import { type LogicalDevice, sapListOf } from './codec/object-list.js'
import { managementPort } from './codec/wrapper.js'
import { ask, identify, orNothing } from './probing.js'
import type { Dialogue, Session } from './session.js'
import type { BusSettings } from './settings.js'
import type { Talk } from './talk.js'

export interface Scanning {
  readonly settings: BusSettings
  readonly answerWithinMs: number
  readonly turn: <Done>(work: (talk: Talk, signal: AbortSignal) => Promise<Done>) => Promise<Done>
}

const { class: sapClass, list } = attributes.sapAssignment
const sapAssignment = { class: sapClass, obis: obis('0-0:41.0.0*255'), attribute: list }

/** An address where nobody stands costs this much: a meter that is there answers an AARQ or SNRM at once. */
const longestWaitMs = 1_000

/**
 * Tries the addresses one after the other. A management logical device that lists the others (SAP assignment) saves asking for
 * each: of a wrapper's port they are all there is, of an HDLC bus those of one station.
 *
 * @throws {ReadFailure} when the line is down, or the scan is called off
 */
export async function* scan(job: ScanJob, scanning: Scanning): AsyncGenerator<Sighting> {
  const { framing, scan: bounds, addressBytes } = scanning.settings
  const addresses = Array.from({ length: bounds.to - bounds.from + 1 }, (_each, index) => bounds.from + index)
  if (framing === 'hdlc') {
    const places = hdlcPlaces(addresses, addressBytes)
    for (const [index, place] of places.entries()) {
      yield* sightings(await seen(place, scanning), (sap) => withUpper(place, sap))
      job.progress(index + 1, places.length)
    }
    return
  }
  const management = await seen(String(managementPort), scanning)
  const listed = management !== undefined && management.devices.length > 0
  if (listed) {
    yield* sightings(management, String)
    job.progress(1, 1)
    return
  }
  for (const [index, port] of addresses.entries()) {
    yield* sightings(port === managementPort ? management : await seen(String(port), scanning), String)
    job.progress(index + 1, addresses.length)
  }
}

/** The management logical device of each station; before them that of a meter that has the line to itself and an address of one byte. */
function hdlcPlaces(addresses: readonly number[], addressBytes: 1 | 2 | 4 | undefined): readonly string[] {
  if (addressBytes === 1) return addresses.map(String)
  const stations = addresses.map((lower) => `${managementPort}/${lower}`)
  return addressBytes === undefined ? [String(managementPort), ...stations] : stations
}

function withUpper(place: string, sap: number): string {
  const lower = place.split('/')[1]
  return lower === undefined ? String(sap) : `${sap}/${lower}`
}

/** What stands at an address, and which logical devices it lists beside itself. */
interface Seen {
  readonly sighting: Sighting
  readonly devices: readonly LogicalDevice[]
}

function* sightings(found: Seen | undefined, addressOf: (sap: number) => string): Generator<Sighting> {
  if (found === undefined) return
  yield found.sighting
  for (const { sap, name } of found.devices) {
    const address = addressOf(sap)
    if (address === found.sighting.address) continue
    const id = name.replace(/[\0 ]+$/, '')
    yield /^[\x20-\x7e]+$/.test(id) ? { address, identity: { id } } : { address, trouble: 'its name is not text' }
  }
}

/** What would be the same at every address. */
const ofTheLine: ReadonlySet<string> = new Set(['BUS_UNREACHABLE', 'BUS_NEVER_QUIET', 'READ_ABORTED'])

/** @returns undefined where nobody answered */
async function seen(address: string, { answerWithinMs: usual, turn }: Scanning): Promise<Seen | undefined> {
  const answerWithinMs = Math.min(usual, longestWaitMs)
  try {
    return await turn(async (talk, signal) => {
      const { value } = await talk.hold({ address, answerWithinMs, repetitions: 1, signal }, look)
      const { identity, devices } = value
      return { sighting: { address, ...(identity === undefined ? { trouble: 'it does not say who it is' } : { identity }) }, devices }
    })
  } catch (thrown) {
    if (!(thrown instanceof ReadFailure) || ofTheLine.has(thrown.code)) throw thrown
    // Who answers anything stands there; who hangs up at once is as good as silent, and so is an adapter that echoes.
    const { request, response } = thrown
    if (Buffer.compare(response, request.subarray(0, response.length)) === 0) return undefined
    return { sighting: { address, trouble: `${thrown.code}: ${thrown.message}` }, devices: [] }
  }
}

function* look(session: Session): Dialogue<Omit<Seen, 'sighting'> & { readonly identity: Sighting['identity'] }> {
  const identity = yield* identify(session)
  return { identity, devices: orNothing(yield* ask(session, sapAssignment), sapListOf) ?? [] }
}
