import type { SimulatedMeter } from './meter.js'

export interface BusServerOptions {
  readonly host: string
  /** 0 takes any free one */
  readonly port: number
  readonly meters: readonly SimulatedMeter[]
}

/** One bus on one TCP port. */
export interface BusServer {
  readonly port: number
  close(): Promise<void>
}

export type StartBus = (options: BusServerOptions) => Promise<BusServer>
