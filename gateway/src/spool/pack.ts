import type { MeterReading } from '@endeks/domain/metering'
import type { ParsedReadings, WireExchange } from '@endeks/domain/wire'

/** One conversation's evidence with the readings to deliver from it. */
export interface Readout {
  readonly exchange: WireExchange
  readonly readings: readonly MeterReading[]
}

export type Body = Pick<ParsedReadings, 'exchanges' | 'readings'>

/** What one message may hold. */
export interface MessageLimits {
  readonly bytes: number
  readonly readings: number
}

export const messageLimits: MessageLimits = { bytes: 65_536, readings: 1_000 }

/** Everything around exchanges and readings: names, brackets, epoch, lane and the widest sequence. */
const envelopeBytes = 400

/**
 * Packs readouts into as few messages as their order allows. An exchange with more readings than fit is carried again by each
 * message that has some of them: every reading arrives with its evidence.
 *
 * @returns the bodies, and the readouts whose exchange alone is too large for any message
 */
export function packReadouts(
  readouts: readonly Readout[],
  limits: MessageLimits = messageLimits
): { readonly bodies: Body[]; readonly tooLarge: Readout[] } {
  const bodies: Body[] = []
  const tooLarge: Readout[] = []
  let open = new OpenBody(limits)
  for (const readout of readouts) {
    if (!fitsMessage(readout, limits)) {
      tooLarge.push(readout)
      continue
    }
    const size = jsonBytes(readout.exchange) + 1
    let rest = readout.readings
    while (rest.length > 0) {
      const taken = open.take(readout.exchange, size, rest)
      rest = rest.slice(taken)
      if (rest.length > 0 || taken === 0) {
        open.closeInto(bodies)
        open = new OpenBody(limits)
      }
    }
  }
  open.closeInto(bodies)
  return { bodies, tooLarge }
}

/** Whether a message has room for the exchange and any one of its readings. */
export function fitsMessage({ exchange, readings }: Readout, limits: MessageLimits = messageLimits): boolean {
  const largest = readings.reduce((most, reading) => Math.max(most, readingBytes(reading)), 0)
  return envelopeBytes + jsonBytes(exchange) + 1 + largest <= limits.bytes
}

class OpenBody {
  readonly #limits: MessageLimits
  readonly #exchanges: WireExchange[] = []
  readonly #readings: (MeterReading & { exchange: number })[] = []
  #bytes = envelopeBytes

  constructor(limits: MessageLimits) {
    this.#limits = limits
  }

  /** Takes as many readings as fit behind their exchange, and neither when not even one does. */
  take(exchange: WireExchange, exchangeBytes: number, readings: readonly MeterReading[]): number {
    let bytes = this.#bytes + exchangeBytes
    let taken = 0
    for (const reading of readings) {
      bytes += readingBytes(reading)
      if (bytes > this.#limits.bytes || this.#readings.length + taken >= this.#limits.readings) break
      this.#bytes = bytes
      taken += 1
    }
    if (taken > 0) {
      for (const reading of readings.slice(0, taken)) this.#readings.push({ ...reading, exchange: this.#exchanges.length })
      this.#exchanges.push(exchange)
    }
    return taken
  }

  closeInto(bodies: Body[]): void {
    if (this.#readings.length > 0) bodies.push({ exchanges: this.#exchanges, readings: this.#readings })
  }
}

/** An upper bound of what a reading adds to the seven columns: values, quotes and commas, an exchange number of three digits. */
function readingBytes(reading: MeterReading): number {
  const text = `${reading.obis}${reading.at}${reading.raw}${reading.scaler}${reading.unit}${reading.status}`
  return text.length + 3 + 6 + 7
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
