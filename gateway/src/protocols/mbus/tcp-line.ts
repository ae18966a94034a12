import { connect, type Socket } from 'node:net'
import { failure, type Result, success } from '@endeks/domain/result'
import type { Clock } from '@endeks/domain/time'
import { longestFrame, type MbusFrame, readFrame } from './codec/index.js'

/** After a broken answer the rest of it may still be on its way; this long nothing must come before the line is used again. */
const quietMs = 100
/** Nobody sends more before an answer is judged: a frame, an echo of the request, and some noise. */
const mostBuffered = 4 * longestFrame
const firstBackOffMs = 1_000
const longestBackOffMs = 60_000

export interface LineFailure {
  readonly code: string
  readonly message: string
  /** what came nevertheless */
  readonly bytes: Uint8Array
}

export interface Answer {
  readonly frame: MbusFrame
  readonly bytes: Uint8Array
}

/** Takes the bytes so far, or what happened to the line instead. */
type Listener = (event: 'data' | 'closed') => void

/**
 * A transparent converter: what is written goes onto the bus, what meters answer comes back. Connects on demand; after a
 * refused connection it is left alone for a while that doubles up to a minute, so that a dead converter costs its meters nothing.
 */
export class TcpLine {
  readonly #host: string
  readonly #port: number
  readonly #clock: Clock
  #socket: Socket | undefined
  #buffer: Uint8Array = new Uint8Array()
  #listener: Listener | undefined
  #backOffMs = 0
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(host: string, port: number, clock: Clock) {
    this.#host = host
    this.#port = port
    this.#clock = clock
  }

  async connect(withinMs: number, signal: AbortSignal): Promise<Result<undefined, LineFailure>> {
    if (this.#socket !== undefined) return success(undefined)
    const waitMs = this.#notBefore - this.#clock.now()
    if (waitMs > 0) return this.#unreachable(`is left alone for another ${waitMs} ms after it could not be reached`)
    const opened = await openSocket({ host: this.#host, port: this.#port, withinMs, signal })
    if (!opened.ok) {
      if (signal.aborted) return aborted()
      this.#backOffMs = Math.min(Math.max(2 * this.#backOffMs, firstBackOffMs), longestBackOffMs)
      this.#notBefore = this.#clock.now() + this.#backOffMs
      return this.#unreachable(opened.error)
    }
    this.#backOffMs = 0
    this.#use(opened.value)
    return success(undefined)
  }

  /** Sends a request and gives back the frame that comes first, as soon as it's whole. */
  ask(request: Uint8Array, withinMs: number, signal: AbortSignal): Promise<Result<Answer, LineFailure>> {
    const socket = this.#socket
    if (socket === undefined) return Promise.resolve(broken(new Uint8Array()))
    if (signal.aborted) return Promise.resolve(aborted())
    // What is left of an earlier answer must not pass for this one.
    this.#buffer = new Uint8Array()
    return new Promise((resolve) => {
      let refused: LineFailure | undefined
      let quiet: NodeJS.Timeout | undefined
      const finish = (result: Result<Answer, LineFailure>): void => {
        clearTimeout(deadline)
        clearTimeout(quiet)
        signal.removeEventListener('abort', onAbort)
        this.#listener = undefined
        resolve(result)
      }
      const onAbort = (): void => finish(aborted(this.#buffer))
      const onDeadline = (): void => finish(failure(refused ?? unanswered(withinMs, this.#buffer)))
      const deadline = setTimeout(onDeadline, withinMs)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#listener = (event) => {
        if (event === 'closed') return finish(broken(this.#buffer))
        const bytes = withoutEcho(this.#buffer, request)
        const frame = readFrame(bytes)
        if (frame.ok && refused === undefined) return finish(success({ frame: frame.value, bytes: bytes.slice(0, frame.value.size) }))
        if (!frame.ok && refused === undefined && (frame.error.code === 'MBUS_TRUNCATED' || frame.error.code === 'MBUS_EMPTY')) return
        refused = { ...(refused ?? (frame.ok ? unanswered(withinMs, bytes) : frame.error)), bytes: this.#buffer }
        clearTimeout(quiet)
        quiet = setTimeout(onDeadline, quietMs)
      }
      socket.write(request)
    })
  }

  drop(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  #use(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk) => {
      if (this.#listener === undefined || this.#buffer.length + chunk.length > mostBuffered) return
      this.#buffer = Uint8Array.of(...this.#buffer, ...chunk)
      this.#listener('data')
    })
    // The close that follows tells whoever waits; without a listener an error would end the process.
    socket.on('error', () => {})
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined
      this.#listener?.('closed')
    })
  }

  #unreachable(why: string): Result<never, LineFailure> {
    return failure({ code: 'BUS_UNREACHABLE', message: `${this.#host}:${this.#port} ${why}`, bytes: new Uint8Array() })
  }
}

/** Some converters hand back what they were given to send. A meter's answer never looks like a request. */
function withoutEcho(bytes: Uint8Array, request: Uint8Array): Uint8Array {
  const overlap = Math.min(bytes.length, request.length)
  const echoes = Buffer.compare(bytes.subarray(0, overlap), request.subarray(0, overlap)) === 0
  return echoes ? bytes.subarray(overlap) : bytes
}

function unanswered(withinMs: number, bytes: Uint8Array): LineFailure {
  const what = bytes.length === 0 ? 'Nothing' : `Only ${bytes.length} bytes of an answer`
  return { code: 'NO_ANSWER', message: `${what} came within ${withinMs} ms`, bytes }
}

function broken(bytes: Uint8Array): Result<never, LineFailure> {
  return failure({ code: 'BUS_BROKEN', message: 'The connection closed during the conversation', bytes })
}

function aborted(bytes: Uint8Array = new Uint8Array()): Result<never, LineFailure> {
  return failure({ code: 'READ_ABORTED', message: 'The read was called off', bytes })
}

interface OpenOptions {
  readonly host: string
  readonly port: number
  readonly withinMs: number
  readonly signal: AbortSignal
}

function openSocket({ host, port, withinMs, signal }: OpenOptions): Promise<Result<Socket, string>> {
  if (signal.aborted) return Promise.resolve(failure('was called off'))
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    const settle = (result: Result<Socket, string>): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
      if (!result.ok) {
        socket.on('error', () => {})
        socket.destroy()
      }
      resolve(result)
    }
    const onAbort = (): void => settle(failure('was called off'))
    const timer = setTimeout(() => settle(failure(`did not accept within ${withinMs} ms`)), withinMs)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => settle(success(socket)))
    socket.once('error', (error) => settle(failure(`can't be reached: ${error.message}`)))
  })
}
