import { AppError } from '@endeks/domain/errors'
import { type EpochMs, toLocal } from '@endeks/domain/time'
import { accrue } from '../accrual/accrue.js'
import { mergeSegments, totalConsumption } from '../consumption/consumption.js'
import { type BilledRegister, type BilledSupply, type BillInput, freeze } from '../consumption/input.js'
import type { RateSchedule, SegmentRow, Subject, SuppliedRegister } from '../store/shard.js'
import { type Bill, epochDay, formatEpochDay, type KdvTable, lastDay, type PreparedTariff } from '../tariff/index.js'

/** A tariff of a run, prepared once with the KDV rows that its components need. */
export interface RunTariff {
  readonly schedule: RateSchedule
  readonly prepared: PreparedTariff
  readonly kdv: KdvTable
}

/** What one subject comes to. */
export interface BilledSubject {
  readonly subject: Subject
  readonly input: BillInput
  readonly content: string
  readonly hash: Buffer
  readonly bill: Bill
  readonly tariff: PreparedTariff
}

export interface SubjectRows {
  readonly subject: Subject
  readonly registers: readonly SuppliedRegister[]
  readonly segments: ReadonlyMap<string, readonly SegmentRow[]>
}

/**
 * Freezes one subject's inputs and prices them. Pure.
 *
 * @throws {AppError} when this one subject can't be billed: the run lists it with the code and goes on
 */
export function billSubject({ subject, registers, segments }: SubjectRows, tariff: RunTariff, zone: string): BilledSubject {
  const supplies = gatherSupplies(registers, segments)
  const units = new Set([...segments.values()].flat().map((segment) => segment.baseUnit))
  const fromDay = boundaryDay(subject.from_at, zone)
  const toDay = boundaryDay(subject.to_at, zone)
  const { schedule } = tariff
  const input: BillInput = {
    format: 1,
    subscription: { id: subject.subscription_id.toString(), number: subject.subscription },
    participant: subject.participant_id.toString(),
    period: { from: subject.from_at, to: subject.to_at, fromDay, toDay },
    zone,
    accrualDate: formatEpochDay(lastDay({ from: epochDay(fromDay), to: epochDay(toDay) })),
    unit: tariff.prepared.scale.base,
    tariff: {
      id: subject.tariff_id.toString(),
      rateSchedule: subject.rate_schedule_id.toString(),
      code: schedule.tariffCode,
      version: schedule.version,
      hash: schedule.hash
    },
    kdv: tariff.kdv,
    consumption: totalConsumption(supplies).toString(),
    supplies,
    earlierBills: []
  }
  const foreign = [...units].find((unit) => unit !== input.unit)
  if (foreign !== undefined) throw new AppError('UNIT_MISMATCH', `the meters count ${foreign}, the tariff prices ${input.unit}`)
  return { subject, input, ...freeze(input), bill: accrue(input, tariff.prepared), tariff: tariff.prepared }
}

function gatherSupplies(registers: readonly SuppliedRegister[], segments: SubjectRows['segments']): BilledSupply[] {
  const supplies = new Map<bigint, { head: SuppliedRegister; registers: BilledRegister[] }>()
  for (const row of registers) {
    const supply = supplies.get(row.supply_id) ?? { head: row, registers: [] }
    supply.registers.push(billedRegister(row, segments.get(row.span) ?? []))
    supplies.set(row.supply_id, supply)
  }
  return [...supplies.values()].map(({ head, registers }) => ({
    servicePoint: head.service_point,
    sign: head.sign,
    share: head.share,
    registers
  }))
}

/** Holds the chain: segments follow each other from the opening index to the closing one and add up. */
function billedRegister(row: SuppliedRegister, rows: readonly SegmentRow[]): BilledRegister {
  const { opening, closing } = row
  for (const index of [opening, closing]) {
    if (index?.source !== 'remote' || index.evidence !== null) continue
    throw new AppError('EVIDENCE_MISSING', `the exchange or the profile behind an index of meter ${row.serial} is not there`)
  }
  if (opening === null || closing === null)
    throw new AppError('EVIDENCE_MISSING', `meter ${row.serial} has no index at a boundary of the period`)
  const amount = rows.reduce((sum, segment) => sum + BigInt(segment.amount), 0n)
  const chained = rows.every((segment, at) => at === 0 || (rows[at - 1]?.to === segment.from && rows[at - 1]?.toRaw === segment.fromRaw))
  if (!chained || rows[0]?.fromRaw !== opening.raw || rows.at(-1)?.toRaw !== closing.raw) {
    throw new AppError('CONSUMPTION_GAP', `the segments of meter ${row.serial} do not lead from ${opening.raw} to ${closing.raw}`)
  }
  const segments = mergeSegments(rows.map(({ rank: _rank, span: _span, baseUnit: _unit, ...segment }) => segment))
  return {
    register: row.register_id.toString(),
    meter: { id: row.meter_id.toString(), serial: row.serial, manufacturer: row.manufacturer },
    obis: row.obis,
    opening,
    closing,
    amount: amount.toString(),
    segments
  }
}

const halfDayMs = 12 * 3_600_000

/** The date whose midnight is nearest: a boundary index stands at midnight or, for a meter without stored values, shortly before. */
export function boundaryDay(at: EpochMs, zone: string): string {
  const { year, month, day } = toLocal((at + halfDayMs) as EpochMs, zone)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}
