import type { DeviceIdentity } from '@endeks/domain/metering'
import type { Clock, EpochMs } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import type { MeterFaults } from '../faults/index.js'
import type { DlmsMeterOptions } from './dlms/options.js'
import type { MbusMeterOptions } from './mbus/options.js'

/**
 * A meter without its protocol: who it is and what its dial shows at any instant. The servers of `meters/<protocol>` put one
 * on a socket; past values (month ends, load profiles) are `indexAt` of past instants, so no server keeps a history. Identity
 * and `startedAt` change when the meter is exchanged: ask again for each answer.
 */
export interface SimulatedMeter {
  /** address on its bus, in the text form of the protocol */
  readonly address: string
  readonly identity: DeviceIdentity
  /** water, cold-water, gas, heat: the word that the protocol's own medium code stands for */
  readonly medium: string
  /**
   * The counter as displayed: never negative, already rolled over at 10^digits, and monotone otherwise. Before `startedAt`
   * it is the initial index.
   */
  indexAt(at: EpochMs): bigint
  /** the counter's last digit is worth 10^scaler of `unit` */
  readonly scaler: number
  readonly unit: MeterUnit
  readonly digits: number
  /** mounted and counting from here on: no stored value is older */
  readonly startedAt: EpochMs
  /** the meter's own clock, which may be wrong; every instant here is one of it */
  readonly clock: Clock
  /** IANA zone of the meter's own clock */
  readonly zone: string
  /** what shows in its answers themselves; how they arrive is the line's matter */
  readonly faults?: MeterFaults
  readonly mbus?: MbusMeterOptions
  readonly dlms?: DlmsMeterOptions
}
