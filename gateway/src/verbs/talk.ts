import { AppError } from '@endeks/domain/errors'
import { loadKeyPlace, neededKeyPlace } from '../config/environment.js'
import { countersPath, DiskCounters } from '../keys/counters.js'
import { noSuchKey } from '../keys/key-file/index.js'
import { KeyRing } from '../keys/ring.js'
import type { Bus, CounterStore, MeterKeys } from '../protocols/protocol.js'
import type { ChosenBus } from './bus-choice.js'
import type { VerbTools } from './tools.js'

/** For a conversation without keys: nothing of it has to outlive the process. */
class PassingCounters implements CounterStore {
  readonly #counters = new Map<string, number>()

  async read(counter: string): Promise<number | undefined> {
    return this.#counters.get(counter)
  }

  async write(counter: string, value: number): Promise<void> {
    this.#counters.set(counter, value)
  }
}

/**
 * Opens a bus for one piece of work and closes it again, whatever comes of that.
 *
 * @param keyName a meter's keys to be used; then its counters are those on disk, which a running gateway has for itself
 * @throws {AppError} CONFIG_INVALID for a key that there is none of, KEYS_UNREADABLE, KEYS_BUSY
 */
export async function onBus<Value>(
  chosen: ChosenBus,
  keyName: string | undefined,
  tools: VerbTools,
  work: (bus: Bus, keys: MeterKeys | undefined) => Promise<Value>
): Promise<Value> {
  const held = keyName === undefined ? undefined : await heldKeys(keyName, tools)
  try {
    const counters = held?.counters ?? new PassingCounters()
    const bus = chosen.protocol.open(chosen.options, { clock: tools.clock, answerWithinMs: chosen.answerWithinMs, counters })
    try {
      return await work(bus, held?.keys)
    } finally {
      await bus.close()
    }
  } finally {
    await held?.counters.close()
  }
}

async function heldKeys(name: string, tools: VerbTools): Promise<{ readonly keys: MeterKeys; readonly counters: DiskCounters }> {
  const place = neededKeyPlace(loadKeyPlace(tools.environment))
  const ring = await KeyRing.open({ ...place, clock: tools.clock })
  const keys = ring.keysOf(name)
  if (keys === undefined) throw new AppError('CONFIG_INVALID', noSuchKey(name))
  return { keys, counters: await DiskCounters.open(countersPath(place.directory)) }
}
