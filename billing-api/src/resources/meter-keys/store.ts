import type { EpochMs } from '@endeks/domain/time'
import { sql } from 'kysely'
import { asJson, type Database, execute, first, only, rows } from '../../store/query.js'

/** A version of a meter's secrets as it lies there, sealed. */
export interface SealedRow {
  readonly name: string
  readonly version: number
  readonly in_use: boolean
  readonly salt: Buffer
  readonly encryption: Buffer | null
  readonly authentication: Buffer | null
  readonly broadcast: Buffer | null
  readonly password: Buffer | null
}

/** One import at a time: two would give the same version to different secrets. */
export async function lockKeys(database: Database): Promise<void> {
  await only(database, sql<object>`select pg_advisory_xact_lock(hashtextextended('billing-api.meter-keys', 0))`)
}

/** The salt that the sealed secrets have; undefined while there are none. */
export async function saltOf(database: Database): Promise<Buffer | undefined> {
  const row = await first(database, sql<{ salt: Buffer }>`select salt from account.meter_key order by name, version limit 1`)
  return row?.salt
}

/** Every version of the meters' secrets. */
export async function versionsOf(database: Database, names: readonly string[]): Promise<SealedRow[]> {
  return rows(
    database,
    sql<SealedRow>`
      select name, version, in_use, salt, encryption, authentication, broadcast, password from account.meter_key
      where name in (select jsonb_array_elements_text(${asJson(names)}::jsonb)) order by name, version`
  )
}

/** Secrets of a version, in base64. */
export interface NewVersion {
  readonly name: string
  readonly version: number
  readonly encryption?: string
  readonly authentication?: string
  readonly broadcast?: string
  readonly password?: string
}

export async function addVersions(database: Database, salt: Uint8Array, added: readonly NewVersion[]): Promise<void> {
  await stopUse(
    database,
    added.map(({ name }) => name)
  )
  await execute(
    database,
    sql`insert into account.meter_key (name, version, salt, encryption, authentication, broadcast, password)
      select name, version, ${Buffer.from(salt)}, decode(encryption, 'base64'), decode(authentication, 'base64'), decode(broadcast, 'base64'),
        decode(password, 'base64')
      from jsonb_to_recordset(${asJson(added)}::jsonb)
        as i (name text, version integer, encryption text, authentication text, broadcast text, password text)`
  )
}

/** Secrets that came back: their version is used again. */
export async function useVersions(database: Database, used: readonly { readonly name: string; readonly version: number }[]): Promise<void> {
  await stopUse(
    database,
    used.map(({ name }) => name)
  )
  await execute(
    database,
    sql`update account.meter_key k set in_use = true
      from jsonb_to_recordset(${asJson(used)}::jsonb) as i (name text, version integer) where k.name = i.name and k.version = i.version`
  )
}

async function stopUse(database: Database, names: readonly string[]): Promise<void> {
  await execute(
    database,
    sql`update account.meter_key set in_use = false
      where in_use and name in (select jsonb_array_elements_text(${asJson(names)}::jsonb))`
  )
}

export interface ListedRow {
  readonly name: string
  readonly version: number
  readonly encryption: boolean
  readonly authentication: boolean
  readonly broadcast: boolean
  readonly password: boolean
  readonly recorded_at: EpochMs
}

/** What may be told of the keys in use, by name; one more than a page holds. */
export async function listKeys(database: Database, { after, limit }: { after: string | undefined; limit: number }): Promise<ListedRow[]> {
  return rows(
    database,
    sql<ListedRow>`
      select name, version, encryption is not null as encryption, authentication is not null as authentication,
        broadcast is not null as broadcast, password is not null as password, recorded_at
      from account.meter_key where in_use and (${after ?? null}::text is null or name > ${after ?? null}) order by name limit ${limit + 1}`
  )
}
