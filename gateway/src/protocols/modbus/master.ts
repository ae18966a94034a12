import { EventEmitter } from 'node:events'
import { failure, type Result } from '@endeks/domain/result'
import modbusSerial from 'modbus-serial'
import { nothing } from '../protocol.js'
import { encodeIdentificationRequest, encodeRtu, type ReadRange } from './codec/index.js'
import type { Asking, Exchanged, ExchangeFailure, Transport } from './transport.js'

type Outcome = Result<Exchanged, ExchangeFailure>

/**
 * A port of modbus-serial over our own transport. Whatever the framing, a port is handed a request as RTU and hands back the
 * answer as RTU; the library keeps a request until its number is used again, so one number does for one request at a time.
 */
class TransportPort extends EventEmitter {
  isOpen = true
  _transactionIdRead = 1
  _transactionIdWrite = 1
  /** takes the next request */
  exchange: (unit: number, pdu: Uint8Array) => void = () => {}

  open(opened: () => void): void {
    opened()
  }

  close(closed: () => void): void {
    closed()
  }

  write(rtu: Uint8Array): void {
    this.exchange(rtu[0] ?? 0, rtu.subarray(1, -2))
  }
}

/**
 * Asks units for registers by modbus-serial. Why not through the ports that it brings: its "TCP RTU" port sends the header of
 * Modbus TCP, its RTU ports drop what does not fit without a word and take a late answer for the next one, none of them shows
 * the bytes, and its time-out also sets the socket's.
 */
export class Master {
  readonly #transport: Transport
  readonly #port = new TransportPort()
  readonly #client = new modbusSerial.default(this.#port)

  constructor(transport: Transport) {
    this.#transport = transport
    this.#client.open(() => {})
  }

  async ask(unit: number, range: ReadRange, asking: Asking): Promise<Outcome> {
    let exchanged: Promise<Outcome> | undefined
    this.#port.exchange = (to, pdu) => {
      exchanged = this.#transport.exchange(to, pdu, asking)
    }
    this.#client.setID(unit)
    const understood = this.#read(range)
    // Settled only after an answer came; a refusal rejects it, and is in the answer as well.
    const complaint = understood.then(
      () => undefined,
      (thrown: unknown) => (typeof thrown === 'object' && thrown !== null && 'modbusCode' in thrown ? undefined : String(thrown))
    )
    const outcome = await exchanged
    if (outcome === undefined) return this.#refused(await complaint)
    if (!outcome.ok) return outcome
    this.#port.emit('data', Buffer.from(encodeRtu(outcome.value.frame.unit, outcome.value.frame.pdu)))
    const objection = await complaint
    if (objection === undefined) return outcome
    const { request, response } = outcome.value
    return failure({ code: 'MODBUS_WRONG_ANSWER', message: objection, kind: 'damaged', heard: true, request, response })
  }

  /** Read Device Identification. Not by modbus-serial, which goes on asking for as long as a device says that there is more. */
  identify(unit: number, object: number, asking: Asking): Promise<Outcome> {
    return this.#transport.exchange(unit, encodeIdentificationRequest(object), asking)
  }

  /** Writes once. Not by modbus-serial, which has no bytes for what is told; a `pdu` says it all. */
  write(unit: number, pdu: Uint8Array, asking: Asking): Promise<Outcome> {
    return this.#transport.exchange(unit, pdu, asking)
  }

  #read({ function: code, address, count }: ReadRange): Promise<unknown> {
    switch (code) {
      case 1:
        return this.#client.readCoils(address, count)
      case 2:
        return this.#client.readDiscreteInputs(address, count)
      case 3:
        return this.#client.readHoldingRegisters(address, count)
      case 4:
        return this.#client.readInputRegisters(address, count)
    }
  }

  #refused(why: string | undefined): Outcome {
    return failure({ code: 'MODBUS_REQUEST', message: why ?? 'the request was not sent', kind: 'line', heard: false, ...nothing })
  }
}
