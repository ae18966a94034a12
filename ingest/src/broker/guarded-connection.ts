import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { AppError } from '@endeks/domain/errors'
import { type FrameLimits, FrameScanner } from './frame-scanner.js'

/** Room for a window of twenty messages of usual size: what is in it is taken at once, and may be stored in one batch. */
const bufferBytes = 256 * 1024

/**
 * A socket whose packets are bounded. What the broker does not read stays in the socket, so that a client which sends faster
 * than is stored is slowed down by TCP.
 */
export class GuardedConnection extends Duplex {
  readonly #socket: Socket
  readonly #scanner: FrameScanner

  constructor(socket: Socket, limits: FrameLimits) {
    super({ readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes })
    this.#socket = socket
    this.#scanner = new FrameScanner(limits)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', () => this.destroy())
    socket.pause()
  }

  #take(chunk: Buffer): void {
    const refused = this.#scanner.scan(chunk)
    if (refused !== undefined) this.destroy(new AppError('MESSAGE_TOO_LARGE', refused))
    else if (!this.push(chunk)) this.#socket.pause()
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send([chunk], done)
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: (error?: Error | null) => void): void {
    this.#send(
      chunks.map((each) => each.chunk),
      done
    )
  }

  #send(chunks: readonly Buffer[], done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) {
      done(new AppError('TIMEOUT', 'the connection is gone'))
      return
    }
    this.#socket.cork()
    let room = true
    for (const chunk of chunks) room = this.#socket.write(chunk)
    this.#socket.uncork()
    if (room) done()
    else this.#socket.once('drain', () => done())
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy()
    done(error)
  }
}
