import { Socket } from 'node:net'
import modbusSerial from 'modbus-serial'
import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { type Bus, type BusDependencies, type Exchange, type Protocol, ReadFailure, type ReadJob } from '../protocol.js'
import { isModbusProfile, modbusCodec, planReads, type ReadRange } from './codec/index.js'

const BusSchema = Type.Object(
  { host: Type.String({ minLength: 1, maxLength: 253 }), port: Type.Integer({ minimum: 1, maximum: 65_535 }) },
  { additionalProperties: false }
)
const busValidator = Compile(BusSchema)

/** A conversation's answers together; a device that sends more is not answering us. */
const mostBytes = 65_536
const defaultAnswerMs = 3_000

/**
 * A socket that keeps what passes through it. modbus-serial hands out registers, not frames, and evidence is made of the very
 * bytes of both directions; it does accept a connected socket, so the bytes are taken where they are written and read.
 */
class RecordingSocket extends Socket {
  #sent: Uint8Array[] = []
  #received: Uint8Array[] = []
  #size = 0

  constructor() {
    super()
    // Before modbus-serial listens: an answer is kept by the time that its promise settles.
    this.on('data', this.#keep)
  }

  /** Forgets the conversation before. */
  record(): void {
    this.#sent = []
    this.#received = []
    this.#size = 0
  }

  get bytes(): { readonly request: Uint8Array; readonly response: Uint8Array } {
    return { request: Buffer.concat(this.#sent), response: Buffer.concat(this.#received) }
  }

  /** Not `write`, which `connect` puts back. One request is under way at a time, so there is never more than one to write. */
  override _write(chunk: Uint8Array, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#sent.push(Uint8Array.from(chunk))
    super._write(chunk, encoding, callback)
  }

  readonly #keep = (chunk: Uint8Array): void => {
    this.#size += chunk.length
    if (this.#size > mostBytes) this.destroy(new Error(`more than ${mostBytes} bytes came`))
    else this.#received.push(chunk)
  }
}

interface Connection {
  readonly client: InstanceType<typeof modbusSerial.default>
  readonly socket: RecordingSocket
}

class ModbusTcpBus implements Bus {
  readonly #host: string
  readonly #port: number
  readonly #dependencies: BusDependencies
  readonly #answerWithinMs: number
  #connection: Connection | undefined

  constructor(host: string, port: number, dependencies: BusDependencies) {
    this.#host = host
    this.#port = port
    this.#dependencies = dependencies
    this.#answerWithinMs = dependencies.answerWithinMs ?? defaultAnswerMs
  }

  async read(job: ReadJob): Promise<Exchange> {
    const { profile } = job
    if (!isModbusProfile(profile)) throw new ReadFailure('MODBUS_PROFILE', 'the profile is not one for Modbus', nothing)
    const connection = await this.#connected(job.signal)
    connection.socket.record()
    try {
      for (const range of planReads(profile, job.want.kind === 'history'))
        await this.#ask(connection, Number(job.address), range, job.signal)
    } catch (thrown) {
      // A late answer must not meet the next question: every failure ends the connection. A refusal is an answer like any other.
      const { code, message } = reasonOf(thrown)
      if (code !== 'MODBUS_EXCEPTION') this.#drop()
      throw new ReadFailure(code, message, connection.socket.bytes, thrown)
    }
    return { ...connection.socket.bytes, at: this.#dependencies.clock.now() }
  }

  async probe(): Promise<never> {
    throw new ReadFailure('UNSUPPORTED', 'probing is not built yet', nothing)
  }

  scan(): AsyncIterable<never> {
    throw new ReadFailure('UNSUPPORTED', 'scanning is not built yet', { request: new Uint8Array(), response: new Uint8Array() })
  }

  async close(): Promise<void> {
    this.#drop()
  }

  async #ask(connection: Connection, unit: number, range: ReadRange, signal: AbortSignal): Promise<void> {
    const { client, socket } = connection
    client.setID(unit)
    const answer =
      range.function === 3 ? client.readHoldingRegisters(range.address, range.count) : client.readInputRegisters(range.address, range.count)
    let stop = (): void => {}
    const broken = new Promise<never>((_, reject) => {
      stop = () => reject(new Error(signal.aborted ? 'the read was called off' : 'the connection closed'))
      socket.once('close', stop)
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
    })
    try {
      await Promise.race([answer, broken])
    } finally {
      socket.off('close', stop)
      signal.removeEventListener('abort', stop)
      // The loser of the race still settles, and nobody else listens to it.
      answer.catch(() => {})
      broken.catch(() => {})
    }
  }

  async #connected(signal: AbortSignal): Promise<Connection> {
    const standing = this.#connection
    if (standing !== undefined && !standing.socket.destroyed && standing.socket.readyState === 'open') return standing
    this.#drop()
    const socket = new RecordingSocket()
    // What a broken line does is seen by whoever waits for an answer; without a listener it would end the process.
    socket.on('error', () => {})
    await connect(socket, { host: this.#host, port: this.#port, withinMs: this.#answerWithinMs, signal })
    const client = new modbusSerial.default()
    client.setTimeout(this.#answerWithinMs)
    await client.linkTCP(socket, { port: this.#port })
    // modbus-serial would use the socket's own idle timer as a second time-out.
    socket.setTimeout(0)
    this.#connection = { client, socket }
    return this.#connection
  }

  #drop(): void {
    this.#connection?.client.destroy(() => {})
    this.#connection?.socket.destroy()
    this.#connection = undefined
  }
}

const nothing = { request: new Uint8Array(), response: new Uint8Array() }

function connect(
  socket: Socket,
  options: { readonly host: string; readonly port: number; readonly withinMs: number; readonly signal: AbortSignal }
): Promise<void> {
  const { host, port, withinMs, signal } = options
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void => {
      settle()
      socket.destroy()
      reject(new ReadFailure('BUS_UNREACHABLE', `${host}:${port} ${why}`, nothing, cause))
    }
    const onError = (error: Error): void => fail(error.message, error)
    const onAbort = (): void => fail('was called off')
    const onConnect = (): void => {
      settle()
      resolve()
    }
    const timer = setTimeout(() => fail(`did not accept within ${withinMs} ms`), withinMs)
    const settle = (): void => {
      clearTimeout(timer)
      socket.off('error', onError)
      socket.off('connect', onConnect)
      signal.removeEventListener('abort', onAbort)
    }
    socket.once('error', onError)
    socket.once('connect', onConnect)
    signal.addEventListener('abort', onAbort, { once: true })
    socket.connect(port, host)
  })
}

/** modbus-serial's own failures have no codes, and its time-out is not even an Error. */
function reasonOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const message = typeof thrown === 'object' && thrown !== null && 'message' in thrown ? String(thrown.message) : String(thrown)
  if (typeof thrown !== 'object' || thrown === null) return { code: 'BUS_BROKEN', message }
  if ('modbusCode' in thrown) return { code: 'MODBUS_EXCEPTION', message }
  if ('errno' in thrown && thrown.errno === 'ETIMEDOUT') return { code: 'NO_ANSWER', message }
  return { code: /^(Data length|Unexpected data|CRC)/.test(message) ? 'MODBUS_WRONG_ANSWER' : 'BUS_BROKEN', message }
}

export const modbusProtocol: Protocol = {
  codec: modbusCodec,
  busSchema: BusSchema,
  /** unit identifiers: 1 to 247 on a line behind a converter, 0 and 255 for a device with an address of its own */
  addressPattern: /^(0|[1-9]\d?|1\d\d|2[0-3]\d|24[0-7]|255)$/,
  open(bus, dependencies) {
    if (!busValidator.Check(bus)) throw new ReadFailure('CONFIG_INVALID', 'the bus entry was not checked', nothing)
    return new ModbusTcpBus(bus.host, bus.port, dependencies)
  }
}
