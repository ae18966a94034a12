import { fileURLToPath } from 'node:url'
import { startChild } from '../support/child.js'
import type { Load } from '../support/load.js'

/** One floods, one sends garbage, one never reads. */
export const misdoers = ['flood', 'garbage', 'stall'] as const
export type Misdoer = (typeof misdoers)[number]

export function isMisdoer(name: string): name is Misdoer {
  return misdoers.some((each) => each === name)
}

export interface HostileStart {
  readonly port: number
  /** what the flooding and the stalled gateway send; those beyond `load.gateways` are the bad ones */
  readonly load: Load
  readonly bad: readonly Misdoer[]
  readonly floodMessagesPerSecond: number
}

export type HostileRequest = ({ readonly kind: 'start' } & HostileStart) | { readonly kind: 'stop' }

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
  start(options: HostileStart): Promise<void>
  stop(): Promise<Misdeeds>
  end(): Promise<void>
}

const answerWithinMs = 30_000

/** The bad gateways, in a process of their own. */
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
