import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { asError } from '@endeks/domain/errors'
import { HttpError, InfluxDB, type WriteApi } from '@influxdata/influxdb-client'

export interface ReceiverOptions {
  /** http or https; a user and password in it are sent as basic authentication */
  readonly url: string
  readonly token?: string
  readonly org: string
  readonly bucket: string
  /** in the place of the path of InfluxDB 2, such as /write?db=endeks for InfluxDB 1; the precision is the mirror's */
  readonly path?: string
}

/**
 * Why lines were not taken.
 *
 * - `refused`: something in them is not to the receiver's liking
 * - `too-large`: fewer at once may pass
 * - `unavailable`: nothing is wrong with the lines; later
 */
export type FailureKind = 'refused' | 'too-large' | 'unavailable'

export class WriteFailure extends Error {
  readonly kind: FailureKind
  /** when the receiver named a time, how long it asks to be left alone */
  readonly retryAfterMs: number

  constructor(kind: FailureKind, message: string, retryAfterMs: number, cause: unknown) {
    super(message, { cause })
    this.name = 'WriteFailure'
    this.kind = kind
    this.retryAfterMs = retryAfterMs
  }
}

export interface ReceiverLimits {
  /** a receiver that is silent so long is not waited for */
  readonly silentMs: number
  /** nor one that goes on for so long without an end */
  readonly writeWithinMs: number
}

export const defaultReceiverLimits: ReceiverLimits = { silentMs: 10_000, writeWithinMs: 30_000 }

/** Bodies with these answers were read and found wanting; all others say nothing about the lines. */
const refusals: readonly number[] = [400, 422]
/** Lines are handed over by the hundred; the client's own buffer never fills up by itself. */
const mostLines = 1_000_000
const mostBytes = 1_000_000_000

/** An InfluxDB, or what speaks like one. Writes once and says what became of it: repeating is the mirror's matter. */
export class Receiver {
  readonly #options: ReceiverOptions
  readonly #limits: ReceiverLimits
  #agent: HttpAgent
  #api: WriteApi

  constructor(options: ReceiverOptions, limits: ReceiverLimits = defaultReceiverLimits) {
    this.#options = options
    this.#limits = limits
    this.#agent = this.#newAgent()
    this.#api = this.#newApi()
  }

  /** The name that its cursor has: where it is and what is written to there, without secrets. */
  get target(): string {
    const { url, org, bucket, path } = this.#options
    const { protocol, host, pathname } = new URL(url)
    const written = path === undefined ? `org=${org} bucket=${bucket}` : path
    return `${protocol}//${host}${pathname} ${written}`.slice(0, 1_000)
  }

  /** @throws {WriteFailure} unless all lines were taken */
  async write(lines: readonly string[]): Promise<void> {
    const deadline = new AbortController()
    const late = sleep(this.#limits.writeWithinMs, 'late' as const, { signal: deadline.signal }).catch(() => 'late' as const)
    try {
      for (const line of lines) this.#api.writeRecord(line)
      if ((await Promise.race([this.#api.flush(), late])) === 'late') {
        throw new WriteFailure('unavailable', `no answer within ${this.#limits.writeWithinMs} ms`, 0, undefined)
      }
    } catch (thrown) {
      const failure = thrown instanceof WriteFailure ? thrown : failureOf(thrown)
      if (failure.kind === 'unavailable') this.#startAfresh()
      throw failure
    } finally {
      deadline.abort()
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** What is still under way is cut, and what the client may still hold is forgotten: the mirror brings it again. */
  #startAfresh(): void {
    this.close()
    this.#agent = this.#newAgent()
    this.#api = this.#newApi()
  }

  #newAgent(): HttpAgent {
    const options = { keepAlive: true, maxSockets: 1 }
    return new URL(this.#options.url).protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
  }

  #newApi(): WriteApi {
    const { url, token, org, bucket, path } = this.#options
    const { username, password, protocol, host, pathname } = new URL(url)
    const login = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
    const influx = new InfluxDB({
      url: `${protocol}//${host}${pathname}`,
      timeout: this.#limits.silentMs,
      ...(token === undefined ? {} : { token }),
      ...(username === '' ? {} : { headers: { authorization: `Basic ${login}` } }),
      transportOptions: { agent: this.#agent }
    })
    const api = influx.getWriteApi(org, bucket, 'ms', {
      ...{ batchSize: mostLines, maxBatchBytes: mostBytes, flushInterval: 0, maxRetries: 0 },
      writeFailed: (error) => Promise.reject(error)
    })
    if (path !== undefined) api.path = inMilliseconds(path)
    return api
  }
}

/** A user or password as it stands in a URL, where a percent sign may be meant as itself. */
function decoded(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*/g, (signs) => Buffer.from(signs.replaceAll('%', ''), 'hex').toString())
}

/** InfluxDB 1 takes timestamps for nanoseconds unless it is told. */
function inMilliseconds(path: string): string {
  const [before = '', query = ''] = path.split('?', 2)
  const parameters = new URLSearchParams(query)
  parameters.set('precision', 'ms')
  return `${before}?${parameters.toString()}`
}

function failureOf(thrown: unknown): WriteFailure {
  const error = asError(thrown)
  if (!(thrown instanceof HttpError)) return new WriteFailure('unavailable', error.message, 0, thrown)
  const { statusCode, body } = thrown
  const kind = statusCode === 413 ? 'too-large' : refusals.includes(statusCode) ? 'refused' : 'unavailable'
  const words = body === undefined || body === '' ? error.message : body
  return new WriteFailure(kind, `${statusCode}: ${words.slice(0, 400)}`, Math.max(0, thrown.retryAfter()), thrown)
}
