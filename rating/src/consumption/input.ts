import { createHash } from 'node:crypto'
import type { EpochMs } from '@endeks/domain/time'
import type { QuantityUnit } from '@endeks/domain/units'
import { canonicalJson, type KdvTable } from '../tariff/index.js'

/** An index that a bill begins or ends with: what the meter sent, and the hash of the bytes it was in. */
export interface BilledIndex {
  readonly at: EpochMs
  readonly raw: string
  readonly scaler: number
  readonly unit: string
  readonly status: number
  readonly source: string
  /** SHA-256 of the exchange's bytes in hex; null for a typed reading */
  readonly evidence: string | null
  /** which exchange, as "day/id": two conversations may have the same bytes */
  readonly exchange: string | null
}

/** Validated consumption of one register between two indexes, in thousandths of the base unit. */
export interface BilledSegment {
  readonly from: EpochMs
  readonly to: EpochMs
  readonly amount: string
  readonly fromRaw: string
  readonly toRaw: string
  readonly scaler: number
  readonly unit: string
  readonly quality: string
  readonly rule: string
}

export interface BilledRegister {
  readonly register: string
  readonly meter: { readonly id: string; readonly serial: string; readonly manufacturer: string }
  readonly obis: string
  readonly opening: BilledIndex
  readonly closing: BilledIndex
  readonly amount: string
  readonly segments: readonly BilledSegment[]
}

export interface BilledSupply {
  readonly servicePoint: string
  readonly sign: 1 | -1
  /** an exact ratio such as "1/1" */
  readonly share: string
  readonly registers: readonly BilledRegister[]
}

/**
 * Everything that a bill depends on, frozen. Its canonical JSON is stored with the bill and its hash is part of the run's
 * digest; rating it again gives the same bill.
 */
export interface BillInput {
  readonly format: 1
  readonly subscription: { readonly id: string; readonly number: string }
  readonly participant: string
  /** two dates of the utility's zone, half-open, with the instants of the boundary readings */
  readonly period: { readonly from: EpochMs; readonly to: EpochMs; readonly fromDay: string; readonly toDay: string }
  readonly zone: string
  readonly accrualDate: string
  readonly unit: QuantityUnit
  readonly tariff: {
    readonly id: string
    readonly rateSchedule: string
    readonly code: string
    readonly version: string
    readonly hash: string
  }
  readonly kdv: KdvTable
  readonly consumption: string
  readonly supplies: readonly BilledSupply[]
  readonly earlierBills: readonly string[]
}

/** The record as it is stored, and its hash. */
export function freeze(input: BillInput): { readonly content: string; readonly hash: Buffer } {
  const content = canonicalJson(input)
  return { content, hash: createHash('sha256').update(content, 'utf8').digest() }
}
