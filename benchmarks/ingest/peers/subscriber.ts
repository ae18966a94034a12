import { fileURLToPath } from 'node:url'
import { type Child, startChild } from '../../support/child.js'

/**
 * How a subscriber stores what the broker forwards: `rows` acknowledges at once and inserts reading by reading, as the usual flow of
 * Node-RED does; `batches` commits many messages together and acknowledges them then.
 */
export type Style = 'rows' | 'batches'

export interface SubscriberRequest {
  /** answered when so many readings are stored since the start, or nothing was stored for a while */
  readonly until: number
}

export interface Subscriber {
  readonly pid: number
  /** @returns how many are stored since the start, which is fewer when no more come */
  until(readings: number, withinMs: number): Promise<number>
  kill(): Promise<void>
  stop(): Promise<void>
}

export async function startSubscriber(
  style: Style,
  options: { readonly port: number; readonly databaseUrl: string; readonly log: string }
): Promise<Subscriber> {
  const child: Child = await startChild(fileURLToPath(new URL('subscriber-main.js', import.meta.url)), {
    arguments: [style, String(options.port)],
    environment: { ENDEKS_DATABASE_URL: options.databaseUrl },
    log: options.log
  })
  return {
    pid: child.pid,
    until: async (readings, withinMs) => ((await child.ask({ until: readings }, withinMs)) as { readonly stored: number }).stored,
    kill: () => child.kill(),
    stop: () => child.stop()
  }
}
