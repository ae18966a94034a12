import type { Quality } from '@endeks/domain/metering'
import type { EpochMs } from '@endeks/domain/time'
import type { QuantityUnit } from '@endeks/domain/units'

/** A stored reading, as far as validation looks at it. The unit is text: what stands in the table may be older than this code. */
export interface IndexReading {
  readonly at: EpochMs
  readonly raw: bigint
  readonly scaler: number
  readonly unit: string
  readonly status: number
}

/** What the rules must know of a register. */
export interface RegisterFacts {
  readonly id: bigint
  /** the counter rolls over at 10^digits of its own least unit */
  readonly digits: number
  /** physical limit, in thousandths of the base unit */
  readonly maxFlowMilliPerHour: bigint
}

/** The consumption between two indexes. What stands in `from` and `to` are the instants of these two readings. */
export interface Segment {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly amountMilli: bigint
  readonly fromRaw: bigint
  readonly toRaw: bigint
  readonly scaler: number
  readonly meterUnit: string
  readonly unit: QuantityUnit
  readonly quality: Quality
  readonly rule: string
}

export type Severity = 'warn' | 'hold'

/** Something that a person should look at. A held span has no segment until its cause is gone or a person has decided. */
export interface Exception {
  readonly rule: string
  readonly severity: Severity
  readonly from: EpochMs
  readonly to: EpochMs
  /** JSON: numbers wider than a double are decimal text */
  readonly details: Readonly<Record<string, string | number>>
}
