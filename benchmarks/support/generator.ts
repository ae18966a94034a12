import { fileURLToPath } from 'node:url'
import { type Child, startChild } from './child.js'
import type { Load } from './load.js'

/** What a generator did: every message it sent was acknowledged. */
export interface Sent {
  readonly messages: number
  /** acknowledged, repeated messages included */
  readonly readings: number
  readonly elapsedMs: number
  /** connections that the broker ended; what was under way on them was sent again */
  readonly cuts: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export type GeneratorRequest =
  | { readonly kind: 'prepare'; readonly load: Load; readonly port: number }
  | ({ readonly kind: 'send' } & Pace)
  | { readonly kind: 'close' }

export interface Pace {
  /** unacknowledged messages of a gateway at most */
  readonly window: number
  /** of all gateways together; without it each sends as fast as its window allows */
  readonly messagesPerSecond?: number
}

/** Fifty gateways in a process of their own. */
export interface Generator {
  readonly pid: number
  /** Encodes the load's texts and connects. */
  prepare(load: Load, port: number): Promise<{ readonly messageBytes: number }>
  /** Sends what is prepared, until all of it is acknowledged. */
  send(pace: Pace, withinMs: number): Promise<Sent>
  /** Leaves the broker. */
  close(): Promise<void>
  stop(): Promise<void>
}

const prepareWithinMs = 60_000

export async function startGenerator(log: string): Promise<Generator> {
  const child: Child = await startChild(fileURLToPath(new URL('generator-main.js', import.meta.url)), { log })
  const ask = (request: GeneratorRequest, withinMs: number): Promise<unknown> => child.ask(request, withinMs)
  return {
    pid: child.pid,
    prepare: async (load, port) => (await ask({ kind: 'prepare', load, port }, prepareWithinMs)) as { messageBytes: number },
    send: async (pace, withinMs) => (await ask({ kind: 'send', ...pace }, withinMs)) as Sent,
    close: async () => {
      await ask({ kind: 'close' }, prepareWithinMs)
    },
    stop: () => child.stop()
  }
}
