import { ReadFailure, type Sighting } from '../protocols/protocol.js'
import { type BusValues, busOfArguments, busOfSite, refuseBusValues } from './bus-choice.js'
import { onBus } from './talk.js'
import { type ExitCode, type VerbTools, wrongUse } from './tools.js'
import { describeFailure, describeIdentity, failureJson, printable } from './words.js'

/** Whoever waits longer than this is told how far it is, and then each time that it has passed again. */
const progressEveryMs = 2_000

/** Tries the addresses of a bus and prints each find as it comes. */
export async function scan(
  positionals: readonly string[],
  values: BusValues & { readonly json?: boolean | undefined },
  tools: VerbTools
): Promise<ExitCode> {
  const [site, name, ...rest] = positionals
  if (site !== undefined && (name === undefined || rest.length > 0)) throw wrongUse('scan takes a site file and a bus')
  if (site !== undefined) refuseBusValues(values)
  const chosen = site === undefined || name === undefined ? busOfArguments(values, undefined) : await busOfSite(site, name, tools)
  let found = 0
  const failed = await onBus(chosen, undefined, tools, async (bus) => {
    try {
      for await (const sighting of bus.scan({ signal: tools.signal, progress: progressOf(tools) })) {
        found += 1
        tools.print(values.json === true ? JSON.stringify(sighting) : describeSighting(sighting))
      }
      return undefined
    } catch (thrown) {
      if (!(thrown instanceof ReadFailure)) throw thrown
      // Called off: what was found until then is the answer.
      return tools.signal.aborted ? undefined : thrown
    }
  })
  tools.note(`${found === 0 ? 'nothing' : found} found on ${chosen.name}${tools.signal.aborted ? ' until it was called off' : ''}`)
  if (failed === undefined) return found > 0 ? 0 : 1
  if (values.json === true) tools.print(JSON.stringify(failureJson(failed)))
  else for (const line of describeFailure(failed)) tools.note(line)
  return 1
}

function progressOf({ clock, note }: VerbTools): (tried: number, of: number | undefined) => void {
  let next = clock.now() + progressEveryMs
  return (tried, of) => {
    const now = clock.now()
    if (now < next) return
    next = now + progressEveryMs
    note(of === undefined ? `${tried} tried` : `${tried} of ${of} tried`)
  }
}

function describeSighting({ address, identity, trouble }: Sighting): string {
  const who = identity === undefined ? undefined : describeIdentity(identity)
  const rest = [who, trouble === undefined ? undefined : printable(trouble)].filter((each) => each !== undefined)
  return rest.length === 0 ? `${address}: answers` : `${address}: ${rest.join('; ')}`
}
