/** One meter of the measured site: where it is, what it must say, and whether anything is wrong with it. */
export interface MeasuredMeter {
  readonly bus: string
  readonly protocol: Protocol
  readonly address: string
  readonly index: number
  readonly kind: 'healthy' | 'dead' | 'lying'
}

type Protocol = 'mbus' | 'modbus' | 'dlms'

const busCount = 20
const metersPerBus = 25
const startedAt = '2026-01-01'
const profiles = { mbus: 'generic-mbus-water', modbus: 'generic-modbus-water', dlms: 'generic-dlms-water' } as const
const protocols: readonly Protocol[] = ['mbus', 'modbus', 'dlms']

/** What a lying meter's line does to its answers, by turns: none of it is ever a reading. A late one comes into a neighbour's exchange. */
const lies = [
  { type: 'flipped', bits: 8 },
  { type: 'half' },
  { type: 'noise', place: 'inside', bytes: 7 },
  { type: 'foreign' },
  { type: 'late', byMs: 4_000 },
  { type: 'lost', bytes: 3 },
  { type: 'doubled', bytes: 2 }
] as const

/** 500 meters on 20 buses of three protocols. One in ten is wrong: dead and lying in turns, spread over all buses. */
export function measuredMeters(): MeasuredMeter[] {
  return Array.from({ length: busCount * metersPerBus }, (_, ordinal) => {
    const bus = Math.floor(ordinal / metersPerBus)
    const protocol = protocols[bus % protocols.length] ?? 'mbus'
    const wrong = ordinal % 10 === 7
    return {
      bus: `${protocol}-${bus + 1}`,
      protocol,
      address: String((ordinal % metersPerBus) + 1),
      index: 1_000_000 + ordinal,
      kind: wrong ? (Math.floor(ordinal / 10) % 2 === 0 ? 'dead' : 'lying') : 'healthy'
    }
  })
}

/** The simulator's site file. A dial stands still at a number of its own, so that a reading of another meter shows. */
export function simulatedSite(meters: readonly MeasuredMeter[]): unknown {
  return {
    zone: 'Europe/Istanbul',
    buses: busNames(meters).map((bus) => ({
      name: bus,
      protocol: protocolOf(bus, meters),
      host: '127.0.0.1',
      port: 0,
      meters: meters.filter((meter) => meter.bus === bus && meter.kind !== 'dead').map(simulatedMeter)
    }))
  }
}

function simulatedMeter({ address, index, kind }: MeasuredMeter): unknown {
  return {
    address,
    serial: String(60_000_000 + index),
    manufacturer: 'END',
    version: 1,
    medium: 'cold-water',
    scaler: -3,
    digits: 8,
    startedAt,
    initialIndex: index,
    shape: { type: 'fixed', points: [{ at: `${startedAt}T00:00:00+03:00`, raw: index }] },
    ...(kind === 'lying' ? { faults: [lies[Math.floor(index / 20) % lies.length]] } : {})
  }
}

/** The gateway's site file: every meter on one schedule, the dead ones too. */
export function gatewaySite(
  meters: readonly MeasuredMeter[],
  options: { readonly gateway: string; readonly mqttUrl: string; readonly everyMs: number; readonly ports: ReadonlyMap<string, number> }
): unknown {
  return {
    gateway: options.gateway,
    zone: 'Europe/Istanbul',
    mqtt: { url: options.mqttUrl },
    schedules: { live: { everyMs: options.everyMs } },
    buses: busNames(meters).map((bus) => {
      const protocol = protocolOf(bus, meters)
      return {
        name: bus,
        protocol,
        host: '127.0.0.1',
        port: options.ports.get(bus) ?? 0,
        meters: meters
          .filter((meter) => meter.bus === bus)
          .map(({ address }) => ({ address, profile: profiles[protocol], schedule: 'live' }))
      }
    })
  }
}

function busNames(meters: readonly MeasuredMeter[]): string[] {
  return [...new Set(meters.map((meter) => meter.bus))]
}

function protocolOf(bus: string, meters: readonly MeasuredMeter[]): Protocol {
  return meters.find((meter) => meter.bus === bus)?.protocol ?? 'mbus'
}
