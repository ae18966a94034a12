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
  readonly sha256: Buffer
  readonly gateway_id: string
  readonly bus: string
  readonly address: string
  readonly protocol: string
  readonly identity: unknown
  readonly at: EpochMs
  readonly zone: string
  readonly profile_hash: Buffer
  readonly profile: string
  readonly request: Buffer
  readonly response: Buffer
}

/** The exchanges by their hashes, as they were copied when the bill was made. */
export async function evidenceOf(database: Database, hashes: readonly string[]): Promise<EvidenceRow[]> {
  return rows(
    database,
    sql<EvidenceRow>`
      select sha256, gateway_id, bus, address, protocol, identity, at, zone, profile_hash, profile, request, response
      from rating.evidence
      where sha256 in (select decode(jsonb_array_elements_text(${asJson(hashes)}::jsonb), 'hex'))
      order by at, sha256`
  )
}
