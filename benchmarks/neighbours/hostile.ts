import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.js'
import type { Load } from '../support/load.js'

export type HostileRequest =
  | {
      readonly kind: 'start'
      readonly port: number
      /** what the flooding and the stalled gateway send; those beyond `load.gateways` are the bad ones */
      readonly load: Load
      readonly floodMessagesPerSecond: number
    }
  | { readonly kind: 'stop' }

/** What they came to do, counted. */
export interface Misdeeds {
  readonly floodMessages: number
  readonly floodConnects: number
  readonly garbageConnects: number
  readonly stalledBytes: number
  readonly stalledConnects: number
}

export interface Hostile {
  readonly pid: number
  start(options: { readonly port: number; readonly load: Load; readonly floodMessagesPerSecond: number }): Promise<void>
  stop(): Promise<Misdeeds>
  end(): Promise<void>
}

const answerWithinMs = 30_000

/** One gateway that floods, one that sends garbage, one that never reads. */
export async function startHostile(log: string): Promise<Hostile> {
  const child = await startChild(fileURLToPath(new URL('hostile-main.js', import.meta.url)), { log })
  const ask = (request: HostileRequest): Promise<unknown> => child.ask(request, answerWithinMs)
  return {
    pid: child.pid,
    start: async (options) => {
      await ask({ kind: 'start', ...options })
    },
    stop: async () => (await ask({ kind: 'stop' })) as Misdeeds,
    end: () => child.stop()
  }
}
