import { type EpochMs, epochMs } from '@endeks/domain/time'

/** The utility of the ingest benchmarks: its registers stand in the order of their gateways. */
export const site = { gateways: 50, registersPerGateway: 2_000, registersPerMeter: 10 } as const
export const registers = site.gateways * site.registersPerGateway

/** Readings lie on a grid in one month of the past, so that all of them fall into one partition and none into the future. */
export const tickMs = 300_000

/** A rectangle of readings: every register of the gateways at every tick, in messages of one size. */
export interface Load {
  /** the first so many of the utility's */
  readonly gateways: number
  /** the month's first instant */
  readonly start: EpochMs
  readonly epoch: string
  readonly perMessage: number
  /** of one meter at one instant, that one answer of it tells; divides its registers */
  readonly registersPerExchange: number
  /** instants that one answer of a meter tells: 1 for a meter that is polled, more for one whose load profile is read */
  readonly instantsPerExchange: number
  readonly firstTick: number
  readonly ticks: number
  /**
   * the hundredth that was sent before: whole messages, as after a lost acknowledgement, or a hundredth of each message's
   * readings, as where two paths lead to one meter
   */
  readonly repeats: 'none' | 'messages' | 'readings'
}

/** One message's place in a load. */
export interface Block {
  readonly gateway: number
  /** of the registers of its gateway */
  readonly firstRegister: number
  readonly registers: number
  readonly firstTick: number
}

export function gatewayName(gateway: number): string {
  return `GW-${String(gateway + 1).padStart(2, '0')}`
}

export function instantOf(load: Pick<Load, 'start'>, tick: number): EpochMs {
  return epochMs(load.start + tick * tickMs)
}

/** What the register shows: eight digits that grow by a few litres from tick to tick. */
export function rawOf(register: number, tick: number): number {
  return 10_000_000 + 2 * tick + (register % 1_000)
}

/** The same in SQL, of the columns `register` (from 0) and `tick`. */
export const rawInSql = '10000000 + 2 * tick + register % 1000'

/** How many messages of a gateway cover its registers once. */
export function messagesPerSweep(load: Pick<Load, 'perMessage' | 'instantsPerExchange'>): number {
  const width = load.perMessage / load.instantsPerExchange
  const whole = site.registersPerGateway / width
  if (!Number.isInteger(width) || !Number.isInteger(whole)) throw new RangeError(`${load.perMessage} readings do not divide a gateway`)
  return whole
}

/** One that all gateways send, or as many as the shape says. */
export type LoadShape = Omit<Load, 'start' | 'epoch' | 'firstTick' | 'gateways'> & Partial<Pick<Load, 'gateways'>>

/** Without repeats. */
export function messagesPerGateway(load: Load): number {
  const sweeps = load.ticks / load.instantsPerExchange
  if (!Number.isInteger(sweeps)) throw new RangeError(`${load.ticks} ticks are not whole answers of ${load.instantsPerExchange} instants`)
  return messagesPerSweep(load) * sweeps
}

/** The message that a gateway sends as its nth, from 0. */
export function blockOf(load: Load, gateway: number, index: number): Block {
  const sweep = messagesPerSweep(load)
  const width = load.perMessage / load.instantsPerExchange
  return {
    gateway,
    firstRegister: (index % sweep) * width,
    registers: width,
    firstTick: load.firstTick + Math.floor(index / sweep) * load.instantsPerExchange
  }
}

export function exchangesPerMessage(load: Pick<Load, 'perMessage' | 'registersPerExchange' | 'instantsPerExchange'>): number {
  return load.perMessage / load.registersPerExchange / load.instantsPerExchange
}

/** Whether a message is one of the hundredth that is sent again: spread evenly over gateways and time. */
export function isRepeated(load: Load, gateway: number, index: number): boolean {
  return load.repeats === 'messages' && (Math.imul(gateway * 65_537 + index + 1, 0x9e3779b1) >>> 0) % 100 === 0
}

/** Readings of a message that its gateway has sent a sweep ago. */
export function repeatedReadings(load: Load): number {
  return load.repeats === 'readings' ? Math.floor(load.perMessage / 100) : 0
}
