import type { CounterStore } from '../../src/protocols/protocol.js'

/** Counters that end with the test. */
export function memoryCounters(kept: Map<string, number> = new Map()): CounterStore {
  return {
    read: async (counter) => kept.get(counter),
    write: async (counter, value) => {
      kept.set(counter, value)
    }
  }
}
