import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, first, rows } from '../../../store/query.js'

export interface AccrualRow {
  readonly id: bigint
  readonly accrual_date: string
  readonly from_at: EpochMs
  readonly to_at: EpochMs
  readonly consumption_milli: bigint
  readonly unit: string
  readonly net_micro: bigint
  readonly tariff_hash: Buffer
  readonly code: string
  readonly version: string
  readonly valid_from: string
  readonly schedule_hash: Buffer
  readonly document: unknown
}

/** The accrual behind a line, with the version of the tariff that it names as it is stored now. */
export async function getAccrual(database: Database, id: bigint): Promise<AccrualRow> {
  const row = await first(
    database,
    sql<AccrualRow>`
      select a.id, a.accrual_date, a.from_at, a.to_at, a.consumption_milli, a.unit, a.net_micro, a.tariff_hash, tariff.code, v.version,
        v.valid_from, v.hash as schedule_hash, v.document
      from rating.accrual a
      join account.rate_schedule v on v.id = a.rate_schedule_id
      join account.tariff on tariff.id = v.tariff_id
      where a.id = ${id}`
  )
  if (row === undefined) throw new AppError('EVIDENCE_MISSING', `the accrual ${id} behind this line is not there`)
  return row
}

export interface EvidenceRow {
  /** day/id */
  readonly exchange: string
  readonly sha256: Buffer
  readonly gateway_id: string
  readonly bus: string
  readonly address: string
  readonly protocol: string
  readonly identity: unknown
  readonly at: EpochMs
  readonly zone: string
  /** 0 where the device was read without a key */
  readonly key_version: number
  readonly profile_hash: Buffer
  readonly profile: string
  readonly request: Buffer
  readonly response: Buffer
}

/** The exchanges by their names, "day/id", as they were copied when the bill was made. A hash alone can be that of several. */
export async function evidenceOf(database: Database, exchanges: readonly string[]): Promise<EvidenceRow[]> {
  return rows(
    database,
    sql<EvidenceRow>`
      select wanted.exchange, e.sha256, e.gateway_id, e.bus, e.address, e.protocol, e.identity, e.at, e.zone, e.key_version, e.profile_hash, e.profile,
        e.request, e.response
      from jsonb_array_elements_text(${asJson(exchanges)}::jsonb) as wanted (exchange)
      join rating.evidence e on e.exchange_day = split_part(wanted.exchange, '/', 1)::date
        and e.exchange_id = split_part(wanted.exchange, '/', 2)::bigint
      order by e.at, e.exchange_day, e.exchange_id`
  )
}
