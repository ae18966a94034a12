import { systemClock } from '@endeks/domain/process'
import { type Clock, type EpochMs, epochMs, toIso } from '@endeks/domain/time'

export const zone = 'Europe/Istanbul'
export const waterVolume = '8-0:1.0.0*255'
const dayMs = 86_400_000
/** Istanbul's, all year */
const offsetMs = 3 * 3_600_000

type Protocol = 'mbus' | 'modbus' | 'dlms'
const profiles = { mbus: 'generic-mbus-water', modbus: 'generic-modbus-water', dlms: 'generic-dlms-water' } as const
const protocols = ['mbus', 'modbus', 'dlms'] as const

export interface ChaosMeter {
  readonly gateway: string
  readonly bus: string
  readonly protocol: Protocol
  readonly address: string
  readonly serial: string
  /** what its dial shows on the first day */
  readonly base: number
  /** entered by nobody at the beginning: its readings wait */
  readonly late: boolean
}

export const gateways = ['GW-1', 'GW-2'] as const
const metersPerBus = 3

/** Three meters on each of three buses of two gateways; the last of each M-Bus line is not registered yet. */
export const meters: readonly ChaosMeter[] = gateways.flatMap((gateway, row) =>
  protocols.flatMap((protocol, column) =>
    Array.from({ length: metersPerBus }, (_, place): ChaosMeter => {
      const ordinal = (row * protocols.length + column) * metersPerBus + place
      return {
        ...{ gateway, protocol },
        bus: `${gateway}-${protocol}`,
        address: String(place + 1),
        serial: String(61_000_000 + ordinal),
        base: 1_000_000 + ordinal * 100_000,
        late: protocol === 'mbus' && place === metersPerBus - 1
      }
    })
  )
)

/** Days that go by for the meters during a run, so that they store values meanwhile. */
const days = 40

/**
 * The meters' time: it begins days ago and runs so fast that all of them go by during the run. At each midnight a dial jumps to its next
 * value, which is stored; in between it stands.
 */
export class MeterTime implements Clock {
  readonly #startedAt = systemClock.now()
  readonly #speed: number
  readonly first: EpochMs

  constructor(runMs: number) {
    this.#speed = (days * dayMs) / runMs
    this.first = epochMs(midnightBefore(epochMs(this.#startedAt - (days + 1) * dayMs)))
  }

  now(): EpochMs {
    return epochMs(Math.min(this.first + Math.round((systemClock.now() - this.#startedAt) * this.#speed), this.#startedAt - dayMs))
  }

  /** The midnights of the run until now, each with the dial's step. */
  midnights(): { readonly at: EpochMs; readonly step: number }[] {
    const count = Math.floor((this.now() - this.first) / dayMs)
    return Array.from({ length: count }, (_, index) => ({ at: epochMs(this.first + (index + 1) * dayMs), step: index + 1 }))
  }
}

function midnightBefore(at: EpochMs): number {
  return Math.floor((at + offsetMs) / dayMs) * dayMs - offsetMs
}

export function dialAfter(meter: ChaosMeter, step: number): number {
  return meter.base + step * 10
}

/** Whether a midnight is that of a first of the month, at which M-Bus meters store. */
export function isMonthEnd(at: EpochMs): boolean {
  return toIso(epochMs(at + offsetMs)).slice(8, 10) === '01'
}

/** The simulator's site file. */
export function simulatedSite(time: MeterTime): unknown {
  return {
    zone,
    buses: buses().map(({ bus, protocol }) => ({
      ...{ name: bus, protocol, host: '127.0.0.1', port: 0 },
      meters: meters
        .filter((meter) => meter.bus === bus)
        .map((meter) => ({
          ...{ address: meter.address, serial: meter.serial, manufacturer: 'END', version: 1, medium: 'cold-water', scaler: -3, digits: 8 },
          startedAt: toIso(time.first),
          initialIndex: meter.base,
          shape: {
            type: 'fixed',
            points: Array.from({ length: days + 2 }, (_, step) => ({
              at: toIso(epochMs(time.first + step * dayMs)),
              raw: dialAfter(meter, step)
            }))
          }
        }))
    }))
  }
}

/** A gateway's site file. */
export function gatewaySite(gateway: string, time: MeterTime, options: { mqttPort: number; ports: ReadonlyMap<string, number> }): unknown {
  const since = toIso(epochMs(time.first + offsetMs)).slice(0, 10)
  return {
    ...{ gateway, zone },
    mqtt: { url: `mqtt://127.0.0.1:${options.mqttPort}` },
    schedules: { live: { everyMs: 1_000 } },
    buses: buses()
      .filter((bus) => bus.gateway === gateway)
      .map(({ bus, protocol }) => ({
        ...{ name: bus, protocol, host: '127.0.0.1', port: options.ports.get(bus) ?? 0 },
        meters: meters
          .filter((meter) => meter.bus === bus)
          .map(({ address }) => ({
            ...{ address, profile: profiles[protocol], schedule: 'live' },
            // A pulse logger dates its live values by the gateway's clock, beside which the stored ones of the meters' time make no sense.
            ...(protocol === 'modbus' ? {} : { historySince: since })
          }))
      }))
  }
}

function buses(): { gateway: string; bus: string; protocol: Protocol }[] {
  return gateways.flatMap((gateway) => protocols.map((protocol) => ({ gateway, protocol, bus: `${gateway}-${protocol}` })))
}
