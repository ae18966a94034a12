import { connect, type Socket } from 'node:net'
import { DlmsFault } from './codec/fault.js'
import { encodeWrapper, WrapperAssembler, type WrapperFrame } from './codec/wrapper.js'

/**
 * Carries APDUs between one client and one logical device. The application layer above knows no more of it, so that HDLC can
 * take the place of the wrapper.
 */
export interface ApduTransport {
  /** @throws {DlmsFault} DLMS_TIMEOUT, DLMS_CLOSED, DLMS_ABORTED, DLMS_WRAPPER, DLMS_WRONG_PORT, DLMS_UNEXPECTED */
  exchange(apdu: Uint8Array): Promise<Uint8Array>
  /** all bytes so far, as they went over the line */
  readonly sent: Uint8Array
  readonly received: Uint8Array
  close(): void
}

export interface WrapperOptions {
  readonly host: string
  readonly port: number
  readonly clientPort: number
  readonly serverPort: number
  readonly connectWithinMs: number
  readonly answerWithinMs: number
  readonly signal: AbortSignal
}

/** Bytes of one conversation: a line that never stops sending is cut here. */
export const maxReceivedBytes = 8 * 1024 * 1024

/** Waits for one event of the socket that is worth something, and for what may come instead. */
interface Waiter {
  readonly frame: (frame: WrapperFrame) => void
  readonly fault: (fault: DlmsFault) => void
}

/** The wrapper of IEC 62056-47 on one TCP connection, for one conversation. */
export class WrapperTransport implements ApduTransport {
  readonly #options: WrapperOptions
  readonly #socket: Socket
  readonly #assembler = new WrapperAssembler()
  readonly #sent: Uint8Array[] = []
  readonly #received: Uint8Array[] = []
  #receivedSize = 0
  #waiter: Waiter | undefined
  #fault: DlmsFault | undefined
  readonly #onAbort = () => this.#fail(new DlmsFault('DLMS_ABORTED', 'the read was called off'))

  private constructor(options: WrapperOptions) {
    this.#options = options
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true })
    this.#socket.on('data', (chunk) => this.#take(chunk))
    this.#socket.on('error', (error) => this.#fail(new DlmsFault('DLMS_CLOSED', `the line to the meter broke: ${error.message}`)))
    this.#socket.on('close', () => this.#fail(new DlmsFault('DLMS_CLOSED', 'the meter closed the connection')))
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
    if (options.signal.aborted) this.#onAbort()
  }

  /** @throws {DlmsFault} DLMS_CONNECT when nobody answers at the address, DLMS_ABORTED */
  static async open(options: WrapperOptions): Promise<WrapperTransport> {
    const transport = new WrapperTransport(options)
    try {
      await transport.#connected()
      return transport
    } catch (thrown) {
      transport.close()
      throw thrown
    }
  }

  #connected(): Promise<void> {
    const { host, port, connectWithinMs } = this.#options
    const where = `${host}:${port}`
    return new Promise((resolve, reject) => {
      const settle = (fault?: DlmsFault) => {
        clearTimeout(timer)
        this.#waiter = undefined
        this.#socket.off('connect', connected)
        if (fault === undefined) resolve()
        else if (fault.code === 'DLMS_ABORTED') reject(fault)
        else reject(new DlmsFault('DLMS_CONNECT', `no connection to ${where}: ${fault.message}`))
      }
      const connected = () => settle()
      const timer = setTimeout(() => settle(new DlmsFault('DLMS_TIMEOUT', `not within ${connectWithinMs} ms`)), connectWithinMs)
      this.#socket.once('connect', connected)
      this.#waiter = { frame: () => undefined, fault: settle }
      if (this.#fault !== undefined) settle(this.#fault)
    })
  }

  get sent(): Uint8Array {
    return Buffer.concat(this.#sent)
  }

  get received(): Uint8Array {
    return Buffer.concat(this.#received)
  }

  exchange(apdu: Uint8Array): Promise<Uint8Array> {
    const { clientPort, serverPort, answerWithinMs } = this.#options
    return new Promise((resolve, reject) => {
      if (this.#fault !== undefined) return reject(this.#fault)
      const request = encodeWrapper({ source: clientPort, destination: serverPort, apdu })
      // The wait is for the whole answer: a meter that sends a byte now and then does not prolong it.
      const timer = setTimeout(() => {
        this.#fail(new DlmsFault('DLMS_TIMEOUT', `the meter at wPort ${serverPort} did not answer within ${answerWithinMs} ms`))
      }, answerWithinMs)
      const settled = () => {
        clearTimeout(timer)
        this.#waiter = undefined
      }
      this.#waiter = {
        frame: (frame) => {
          settled()
          resolve(frame.apdu)
        },
        fault: (fault) => {
          settled()
          reject(fault)
        }
      }
      this.#sent.push(request)
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#socket.destroy()
  }

  #take(chunk: Uint8Array): void {
    if (this.#fault !== undefined) return
    this.#receivedSize += chunk.length
    if (this.#receivedSize > maxReceivedBytes) {
      this.#fail(new DlmsFault('DLMS_UNEXPECTED', `the meter sent more than ${maxReceivedBytes} bytes`))
      return
    }
    this.#received.push(chunk)
    try {
      const [frame, ...more] = this.#assembler.push(chunk)
      if (frame === undefined) return
      if (more.length > 0 || this.#assembler.pending > 0) throw new DlmsFault('DLMS_UNEXPECTED', 'the meter sent more than one answer')
      this.#deliver(frame)
    } catch (thrown) {
      if (!(thrown instanceof DlmsFault)) throw thrown
      this.#fail(thrown)
    }
  }

  #deliver(frame: WrapperFrame): void {
    const { clientPort, serverPort } = this.#options
    if (frame.source !== serverPort || frame.destination !== clientPort) {
      const got = `from wPort ${frame.source} to ${frame.destination}`
      throw new DlmsFault('DLMS_WRONG_PORT', `a frame ${got} came where wPort ${serverPort} answers ${clientPort}`)
    }
    if (this.#waiter === undefined) throw new DlmsFault('DLMS_UNEXPECTED', 'the meter sent a frame that was not asked for')
    this.#waiter.frame(frame)
  }

  /** The first fault is the cause, what follows are its effects. */
  #fail(fault: DlmsFault): void {
    if (this.#fault !== undefined) return
    this.#fault = fault
    this.#waiter?.fault(fault)
    this.#socket.destroy()
  }
}
