import { AppError } from '@endeks/domain/errors'
import { dlms } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { Conversation, type Exchange, type Line, Pairs, type Random } from './line.js'
import type { LogicalAddress, LogicalDevice } from './logical-device.js'

/** @throws {AppError} VALIDATION for an address that is not a wPort */
export function wrapperAddress(meter: SimulatedMeter): LogicalAddress {
  const port = /^[1-9]\d{0,4}$/.test(meter.address) ? Number(meter.address) : Number.NaN
  if (!(port <= 0xffff)) throw new AppError('VALIDATION', `"${meter.address}" is not a wPort from 1 to 65535`)
  return { sap: port }
}

/** One connection with the TCP wrapper (IEC 62056-47): each meter is a logical device behind its own wPort. */
export class WrapperLine implements Line {
  readonly #byPort: ReadonlyMap<number, LogicalDevice>
  readonly #random: Random
  readonly #assembler = new dlms.WrapperAssembler()
  readonly #conversations = new Pairs<Conversation>()

  constructor(devices: readonly LogicalDevice[], random: Random) {
    this.#byPort = new Map(devices.map((each) => [each.sap, each]))
    this.#random = random
  }

  receive(chunk: Uint8Array): readonly Exchange[] {
    return this.#assembler.push(chunk).map((frame) => this.#exchange(frame))
  }

  #exchange(frame: dlms.WrapperFrame): Exchange {
    const { source, destination, apdu } = frame
    const request = dlms.encodeWrapper(frame)
    const logical = this.#byPort.get(destination)
    if (logical === undefined) return { request }
    const key = `${source}/${destination}`
    const conversation = this.#conversations.get(key) ?? this.#conversations.set(key, new Conversation(logical, source, this.#random))
    const response = conversation.answer(apdu)
    if (response === undefined) return { request }
    const bytes = dlms.encodeWrapper({ source: destination, destination: source, apdu: response })
    return { request, answer: { address: logical.address, bytes } }
  }

  notify(from: LogicalDevice, client: number, apdu: Uint8Array): Uint8Array {
    return dlms.encodeWrapper({ source: from.sap, destination: client, apdu })
  }
}
