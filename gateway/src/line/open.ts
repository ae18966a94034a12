import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { failure, type Result, success } from '@endeks/domain/result'
import type { LinePlace } from './place.js'

export interface Opening {
  readonly withinMs: number
  readonly signal: AbortSignal
}

/** Opens a place as a stream. The error says why not, as the end of a sentence that begins with the place. */
export function openPlace(place: LinePlace, opening: Opening): Promise<Result<Duplex, string>> {
  return place.kind === 'tcp' ? openSocket(place, opening) : openSerial(place, opening)
}

function openSocket(place: LinePlace & { kind: 'tcp' }, { withinMs, signal }: Opening): Promise<Result<Socket, string>> {
  if (signal.aborted) return Promise.resolve(failure('was called off'))
  return new Promise((resolve) => {
    const socket = connect({ host: place.host, port: place.port, noDelay: true, keepAlive: true })
    const settle = (result: Result<Socket, string>): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners()
      if (!result.ok) discard(socket)
      resolve(result)
    }
    const onAbort = (): void => settle(failure('was called off'))
    const timer = setTimeout(() => settle(failure(`did not accept within ${withinMs} ms`)), withinMs)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('connect', () => settle(success(socket)))
    socket.once('error', (error) => settle(failure(`can't be reached: ${error.message}`)))
  })
}

async function openSerial(place: LinePlace & { kind: 'serial' }, { signal }: Opening): Promise<Result<Duplex, string>> {
  // Loaded here: a gateway without a serial port needs no native module.
  const { SerialPort } = await import('serialport')
  if (signal.aborted) return failure('was called off')
  const { kind: _kind, ...settings } = place
  const port = new SerialPort({ ...settings, autoOpen: false })
  // `destroy` would end the stream alone: the port would stay open, and locked for whoever opens it next.
  port._destroy = (error, done) => port.close(() => done(error))
  return new Promise((resolve) => {
    // The operating system opens a port at once or says why not: there is nothing to wait for.
    port.open((error) => {
      if (error === null) resolve(success(port))
      else resolve(failure(`can't be opened: ${error.message}`))
    })
  })
}

function discard(stream: Duplex): void {
  // Without a listener a late error would end the process.
  stream.on('error', () => {})
  stream.destroy()
}
