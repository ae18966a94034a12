import type { Clock } from '@endeks/domain/time'
import type { LineFaults } from '../faults/index.js'
import type { DlmsFraming, HdlcLineOptions } from './dlms/options.js'
import type { MbusBusOptions } from './mbus/options.js'
import type { SimulatedMeter } from './meter.js'
import type { ModbusBusOptions } from './modbus/options.js'

export interface BusServerOptions {
  readonly host: string
  /** 0 takes any free one */
  readonly port: number
  readonly meters: readonly SimulatedMeter[]
  /** what the line does to answers, and by which clock; without it nothing */
  readonly line?: { readonly faults: LineFaults; readonly clock: Clock }
  readonly mbus?: MbusBusOptions
  readonly modbus?: ModbusBusOptions
  readonly dlms?: { readonly framing?: DlmsFraming; readonly hdlc?: HdlcLineOptions }
}

/** One bus on one TCP port. */
export interface BusServer {
  readonly port: number
  close(): Promise<void>
}

export type StartBus = (options: BusServerOptions) => Promise<BusServer>
