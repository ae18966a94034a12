import { AppError } from '@endeks/domain/errors'
import { modbus } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'
import { maps, readRange } from './maps.js'
import type { ModbusBusOptions } from './options.js'

const illegalFunction = 1
const illegalAddress = 2
const illegalValue = 3

/** One meter at its unit identifier: what it says to a request, whatever the framing. */
export class ModbusUnit {
  readonly unit: number
  readonly #meter: SimulatedMeter
  readonly #options: ModbusBusOptions
  #requests = 0

  /** @throws {AppError} CONFIG_INVALID when the bus can't have that unit or its registers can't say what the meter shows */
  constructor(meter: SimulatedMeter, options: ModbusBusOptions) {
    const refusal = refusalOf(meter, options)
    if (refusal !== undefined) throw new AppError('CONFIG_INVALID', `meter ${meter.identity.id}: ${refusal}`)
    this.unit = Number(meter.address)
    this.#meter = meter
    this.#options = options
  }

  /** @returns function code and data */
  answer(request: modbus.Frame): Uint8Array {
    this.#requests += 1
    const code = request.pdu[0] ?? 0
    const now = this.#meter.clock.now()
    const ailment = this.#meter.faults?.at(this.#requests, now)
    const exception = ailment?.applicationError ?? this.#refusal()
    if (exception !== undefined) return modbus.encodeException(code, exception)
    if (code === modbus.identificationFunction) return this.#identification(request)
    const range = modbus.parseReadRequest(request)
    if (!range.ok) return modbus.encodeException(code, exceptionOf(range.error.code))
    const words = readRange(maps[this.#options.map ?? 'logger'].blocks(this.#meter, now, ailment?.lies ?? new Set()), range.value)
    if (words === undefined) return modbus.encodeException(code, illegalAddress)
    return modbus.readsBits(range.value.function)
      ? modbus.encodeBitsResponse(
          range.value.function,
          words.map((each) => each !== 0)
        )
      : modbus.encodeReadResponse(range.value.function, words)
  }

  #refusal(): number | undefined {
    const refusals = this.#options.refusals ?? []
    return refusals.find(({ address, first }) => Number(address) === this.unit && this.#requests <= (first ?? Number.POSITIVE_INFINITY))
      ?.exception
  }

  /** Vendor, product and revision, the objects that every device has (Modbus Application Protocol V1.1b3, 6.21). */
  #identification(request: modbus.Frame): Uint8Array {
    const { identity } = this.#meter
    const [code = 0, mei, kind = 0, object = 0] = request.pdu
    if (request.pdu.length !== 4 || mei !== 0x0e || kind < 1 || kind > 3) return modbus.encodeException(code, illegalValue)
    const texts = [identity.manufacturer ?? '', `${this.#options.map ?? 'logger'}`, String(identity.version ?? 0)]
    // An unknown object starts the stream at the first.
    const from = object < texts.length ? object : 0
    const objects = texts.map((text, id) => ({ id, text })).slice(from)
    return modbus.encodeIdentificationResponse(objects, 0x01)
  }
}

function exceptionOf(code: string): number {
  if (code === 'MODBUS_FUNCTION') return illegalFunction
  return code === 'MODBUS_RANGE' ? illegalAddress : illegalValue
}

/** Why the bus can't have this meter, or undefined when it can. */
function refusalOf(meter: SimulatedMeter, { framing, map = 'logger' }: ModbusBusOptions): string | undefined {
  const unit = Number(meter.address)
  if (!/^\d{1,3}$/.test(meter.address) || unit > 255) return `"${meter.address}" is no unit identifier: 0 to 255`
  // Modbus over Serial Line V1.02, 2.2: 0 is broadcast, 248 to 255 are reserved.
  if (framing === 'rtu' && (unit < 1 || unit > 247)) return `unit ${unit} can't stand on a serial line: 1 to 247`
  return maps[map].unsayable(meter)
}
