import { AppError } from '@endeks/domain/errors'
import { mbus } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { telegramsOf, unsayable } from './telegrams.js'

const frameCountValid = 0x10
const functionMask = 0x0f
const sendNke = 0x00
const requestUserData2 = 0x0b

/** Why M-Bus can't have this meter, or undefined when it can. */
export function refusalOf(meter: SimulatedMeter): string | undefined {
  const primary = /^\d{1,3}$/.test(meter.address) && Number(meter.address) <= 250
  return primary ? unsayable(meter) : `"${meter.address}" is not a primary address from 0 to 250`
}

/**
 * A meter's half of the link layer (EN 13757-2). A readout is a snapshot: all its frames are of the instant at which the
 * first was asked for. A request with the frame count bit of the one before gets the same frame again.
 */
export class MbusSlave {
  readonly address: number
  readonly #meter: SimulatedMeter
  #pending: readonly Uint8Array[] = []
  #access = 0
  #last: { readonly frameCountBit: number; readonly frame: Uint8Array } | undefined

  /** @throws {AppError} CONFIG_INVALID when the address is not a primary one or M-Bus can't say what the meter shows */
  constructor(meter: SimulatedMeter) {
    const refusal = refusalOf(meter)
    if (refusal !== undefined) throw new AppError('CONFIG_INVALID', `meter ${meter.identity.id}: ${refusal}`)
    this.address = Number(meter.address)
    this.#meter = meter
  }

  /** The answer to a request for this address, or undefined where a meter keeps silent. */
  answer(request: mbus.MbusFrame): Uint8Array | undefined {
    if (request.type !== 'short' || request.address !== this.address) return undefined
    const kind = request.control & functionMask
    if (kind === sendNke) return this.#reset()
    return kind === requestUserData2 ? this.#data(request.control) : undefined
  }

  #reset(): Uint8Array {
    this.#pending = []
    this.#last = undefined
    return Uint8Array.of(mbus.acknowledge)
  }

  #data(control: number): Uint8Array | undefined {
    const frameCountBit = control & mbus.control.frameCountBit
    const repeated = (control & frameCountValid) !== 0 && this.#last?.frameCountBit === frameCountBit
    if (repeated) return this.#last?.frame
    if (this.#pending.length === 0) {
      this.#pending = telegramsOf(this.#meter, this.address, this.#meter.clock.now(), this.#access)
      this.#access = (this.#access + this.#pending.length) & 0xff
    }
    const [frame, ...rest] = this.#pending
    if (frame === undefined) return undefined
    this.#pending = rest
    this.#last = { frameCountBit, frame }
    return frame
  }
}
