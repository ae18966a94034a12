import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@endeks/domain/process'
import type pg from 'pg'
import { dedicatedClient } from '../pool/pool.js'

const firstBackOffMs = 100
const longestBackOffMs = 5_000

/** Something to sleep on until it rings, at most so long. A ring while nobody sleeps is kept for the next sleep. */
export class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  async sleep(milliseconds: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#rung = false
    this.#wake = undefined
  }
}

export interface ListenOptions {
  readonly pool: pg.Pool
  readonly channel: string
  /** called at each notification with its payload, and once without one when a connection is made: what was announced before it was missed */
  readonly heard: (payload: string | undefined) => void
  readonly log: Log | undefined
  readonly signal: AbortSignal
}

/**
 * Listens to a channel until the signal is aborted. A connection that is lost is made again after a growing pause: whoever
 * listens must look by itself now and then.
 */
export async function listen(options: ListenOptions): Promise<void> {
  let backOff = firstBackOffMs
  while (!options.signal.aborted) {
    try {
      await listenOnce(options, () => {
        backOff = firstBackOffMs
        options.heard(undefined)
      })
    } catch (thrown) {
      // The queue is polled all the while, so a listener that can't connect is no reason to stop; it says so and goes on.
      options.log?.warn('no notifications, trying again', { channel: options.channel, error: thrown, backOffMs: backOff })
    }
    await sleep(backOff, undefined, { signal: options.signal }).catch(() => undefined)
    backOff = Math.min(backOff * 2, longestBackOffMs)
  }
}

async function listenOnce(options: ListenOptions, connected: () => void): Promise<void> {
  const client = dedicatedClient(options.pool)
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  client.on('end', end)
  client.on('error', end)
  options.signal.addEventListener('abort', end, { once: true })
  client.on('notification', (message) => options.heard(message.payload ?? ''))
  try {
    await client.connect()
    await client.query(`listen ${options.channel}`)
    connected()
    if (!options.signal.aborted) await ended
  } finally {
    options.signal.removeEventListener('abort', end)
    await client.end().catch(() => undefined)
  }
}
