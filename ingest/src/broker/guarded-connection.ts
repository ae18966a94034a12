import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { AppError } from '@endeks/domain/errors'
import { type FrameLimits, FrameScanner } from './frame-scanner.js'
import type { Allowance } from './gateways.js'
import { ConnectionCut } from './reasons.js'

export interface GuardLimits extends FrameLimits {
  /** for the CONNECT to come */
  readonly connectWithinMs: number
  /** publishes of one gateway that wait for their commit; more are not read */
  readonly messagesAtOnce: number
  /** for a client to read what it is sent */
  readonly drainWithinMs: number
}

export const defaultGuardLimits: Omit<GuardLimits, keyof FrameLimits> = {
  connectWithinMs: 10_000,
  messagesAtOnce: 64,
  drainWithinMs: 30_000
}

/** Room for a window of twenty messages of usual size: what is in it is taken at once, and may be stored in one batch. */
const readBytes = 256 * 1024
/** Acknowledgements take four bytes: whoever does not read so many of them has stopped. */
const writeBytes = 64 * 1024
/** A gateway beyond its rate is read again when it may send a few, not for every single message. */
const shortestPauseMs = 50
/** Packets that Aedes is given at a time: it handles at once what it has, and the others wait for that. */
const packetsATurn = 64

/**
 * A socket whose packets are bounded in size, number and rate. What may not be read now stays in the socket, so that TCP slows
 * down whoever sends faster: before the client is known (`admit`) nothing behind its CONNECT is read, then no more than its
 * allowance, and nothing at all while it is held (`hold`).
 */
export class GuardedConnection extends Duplex {
  readonly #socket: Socket
  readonly #limits: GuardLimits
  readonly #scanner: FrameScanner
  #allowance: Allowance | undefined
  #slowed: () => void = () => undefined
  #begun = false
  #connectRead = false
  #ended = false
  #wanted = false
  #turnOver = false
  #held = false
  #underWay = 0
  #rest: Buffer | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #openedAt = performance.now()
  #heardAt = this.#openedAt
  #fullSince: number | undefined

  constructor(socket: Socket, limits: GuardLimits) {
    super({ readableHighWaterMark: readBytes, writableHighWaterMark: writeBytes })
    this.#socket = socket
    this.#limits = limits
    this.#scanner = new FrameScanner(limits)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => {
      this.#ended = true
      this.#pump()
    })
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    socket.pause()
  }

  /** Who it is is known, and what it may send. @param slowed told each time that it has used that up */
  admit(allowance: Allowance, slowed: () => void): void {
    this.#allowance = allowance
    this.#slowed = slowed
    this.#pump()
  }

  /** Stops reading, or goes on. What was read already waits as well. */
  hold(held: boolean): void {
    if (this.#held === held) return
    this.#held = held
    this.#pump()
    if (!held) this.#offer()
  }

  /** A publish waits for its commit. @returns how to say that it does no more */
  underWay(): () => void {
    this.#underWay += 1
    return () => {
      this.#underWay -= 1
      if (this.#underWay === this.#limits.messagesAtOnce - 1) this.#offer()
    }
  }

  /** Milliseconds since it was last heard of; none while it is we who don't listen. */
  silentMs(now: number): number {
    if (!this.#listening()) this.#heardAt = now
    return now - this.#heardAt
  }

  /** Why it must be cut now: it has not said who it is, or does not read what it is sent. */
  overdue(now: number): ConnectionCut | undefined {
    const { connectWithinMs, drainWithinMs } = this.#limits
    if (!this.#connectRead && now - this.#openedAt >= connectWithinMs) {
      return new ConnectionCut('connect-late', `no CONNECT came within ${connectWithinMs} ms`)
    }
    if (this.#fullSince === undefined || now - this.#fullSince < drainWithinMs) return undefined
    return new ConnectionCut('slow-reader', `what it was sent was not read within ${drainWithinMs} ms`)
  }

  /** Aedes reads whatever there is each time that there is something; so what it must not have yet is not there. */
  override read(size?: number): unknown {
    return this.#held || this.#underWay >= this.#limits.messagesAtOnce ? null : super.read(size)
  }

  override _read(): void {
    this.#wanted = true
    this.#pump()
  }

  #listening(): boolean {
    const known = this.#allowance !== undefined || !this.#connectRead
    return known && this.#wanted && !this.#held && this.#rest === undefined && this.#timer === undefined
  }

  #take(chunk: Buffer): void {
    if (this.destroyed) return
    this.#rest = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk])
    this.#pump()
  }

  /** Hands on what may be read, and lets the socket bring more, or not. */
  #pump(): void {
    if (this.destroyed) return
    if (this.#rest !== undefined && this.#wanted && !this.#held && this.#timer === undefined && !this.#turnOver) this.#handOn(this.#rest)
    if (this.destroyed) return
    if (this.#ended && this.#rest === undefined) this.push(null)
    else if (this.#listening()) this.#socket.resume()
    else this.#socket.pause()
  }

  #handOn(chunk: Buffer): void {
    const { end, begun, ended, refused } = this.#scanner.scan(chunk, this.#mayBegin())
    if (refused !== undefined) {
      this.destroy(new ConnectionCut(refused.reason, refused.why))
      return
    }
    this.#pay(begun, ended, end)
    if (end === 0) return
    this.#rest = end < chunk.length ? chunk.subarray(end) : undefined
    this.#wanted = this.push(chunk.subarray(0, end))
    if (this.#rest === undefined) return
    this.#turnOver = true
    setImmediate(() => {
      this.#turnOver = false
      this.#pump()
    })
  }

  /** Packets that may begin now. A client that has used up its allowance is not read until it has some again. */
  #mayBegin(): number {
    if (this.#allowance === undefined) return this.#begun ? 0 : 1
    return Math.min(packetsATurn, Math.max(0, Math.floor(this.#allowance.messages.available(performance.now()))))
  }

  #pay(begun: number, ended: number, length: number): void {
    const now = performance.now()
    this.#begun ||= begun > 0
    this.#connectRead ||= ended > 0
    if (ended > 0) this.#heardAt = now
    if (this.#allowance === undefined) return
    const { messages, bytes } = this.#allowance
    messages.pay(begun, now)
    bytes.pay(length, now)
    const waitMs = Math.max(messages.available(now) < 1 ? messages.waitMs(1, now) : 0, bytes.available(now) < 0 ? bytes.waitMs(0, now) : 0)
    if (waitMs === 0) return
    this.#slowed()
    this.#timer = setTimeout(() => this.#rested(), Math.max(waitMs, shortestPauseMs))
  }

  #rested(): void {
    this.#timer = undefined
    this.#heardAt = performance.now()
    this.#pump()
  }

  /** Aedes looks again; nothing else would tell it that what it could not have is there now. */
  #offer(): void {
    if (this.destroyed) return
    this.#heardAt = performance.now()
    super.read(0)
    if (this.readableLength > 0) this.emit('readable')
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done)
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    // An acknowledgement comes in three pieces, and twenty of them at once: as one they cost one write.
    this.#send(Buffer.concat(chunks.map((each) => each.chunk)), done)
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) {
      done(new AppError('TIMEOUT', 'the connection is gone'))
      return
    }
    if (this.#socket.write(bytes)) {
      done()
      return
    }
    this.#fullSince = performance.now()
    this.#socket.once('drain', () => {
      this.#fullSince = undefined
      done()
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#timer)
    this.#rest = undefined
    // A refusal that was written last is read by whoever reads: only what nobody takes is thrown away.
    if (this.#socket.writableLength === 0) this.#socket.destroySoon()
    else this.#socket.destroy()
    done(error)
  }
}
