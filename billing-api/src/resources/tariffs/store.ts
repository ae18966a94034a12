import { createHash } from 'node:crypto'
import { AppError } from '@endeks/domain/errors'
import type { EpochMs } from '@endeks/domain/time'
import { canonicalJson, checkTariff, type KdvTable, type TariffDocument } from '@endeks/rating/tariff'
import { sql } from 'kysely'
import { asJson, type Database, execute, rows } from '../../store/query.js'
import { differing, keyOf, missingOf, type Outcome, refuse, refuseRepeated } from '../../store/standing.js'

export interface VersionRow {
  readonly code: string
  readonly name_tr: string
  readonly name_en: string
  readonly subscriptions: number
  readonly version: string
  readonly valid_from: string
  readonly hash: string
  readonly published_at: EpochMs
  readonly published_by: string
}

/** Every version of every tariff (or of one), newest first, with how many subscriptions the tariff has now. */
export async function listVersions(database: Database, code?: string): Promise<VersionRow[]> {
  const which = code === undefined ? sql`true` : sql`tariff.code = ${code}`
  return rows(
    database,
    sql<VersionRow>`
      select tariff.code, v.document #>> '{name,tr}' as name_tr, v.document #>> '{name,en}' as name_en, used.subscriptions, v.version, v.valid_from, encode(v.hash, 'hex') as hash,
        v.published_at, v.published_by
      from account.tariff
      join account.rate_schedule v on v.tariff_id = tariff.id
      cross join lateral (
        select count(*)::integer as subscriptions from account.tariff_assignment a
        where a.tariff_id = tariff.id and a.superseded_at is null and a.valid_to is null
      ) used
      where ${which} order by tariff.code, v.valid_from desc limit 10000`
  )
}

/** The document of the newest version. @throws {AppError} TARIFF_NOT_FOUND */
export async function newestDocument(database: Database, code: string): Promise<unknown> {
  const [row] = await rows(
    database,
    sql<{ document: unknown }>`select v.document from account.rate_schedule v join account.tariff on tariff.id = v.tariff_id
      where tariff.code = ${code} order by v.valid_from desc limit 1`
  )
  if (row === undefined) throw new AppError('TARIFF_NOT_FOUND', `there is no tariff ${code}`)
  return row.document
}

/** KDV rates by class from the parameters "kdv.<class>", one dated row a rate, oldest first. */
export async function readKdvTable(database: Database): Promise<KdvTable> {
  const found = await rows(
    database,
    sql<{ name: string; valid_from: string; value: unknown }>`
      select name, valid_from, value from account.parameter where name like 'kdv.%' and superseded_at is null order by name, valid_from`
  )
  const table: Record<string, { from: string; rate: string }[]> = {}
  for (const { name, valid_from: from, value } of found) {
    if (typeof value !== 'object' || value === null || !('rate' in value) || typeof value.rate !== 'string') continue
    const kdvClass = name.slice('kdv.'.length)
    const known = table[kdvClass] ?? []
    known.push({ from, rate: value.rate })
    table[kdvClass] = known
  }
  return table
}

interface Standing {
  readonly code: string
  readonly version: string
  readonly hash: string
}

/**
 * Publishes versions that the tariff engine accepts, worked examples included.
 *
 * @throws {AppError} TARIFF_INVALID or TARIFF_EXAMPLE_FAILS with every problem of every document, ALREADY_EXISTS for a version
 * that stands with another content
 */
export async function addTariffs(database: Database, items: readonly unknown[], publishedBy: string): Promise<Outcome> {
  const documents = checkDocuments(items, await readKdvTable(database))
  refuseRepeated('tariffs', documents, (document) => keyOf(document.code, document.version))
  const found = await rows(
    database,
    sql<Standing>`select tariff.code, v.version, encode(v.hash, 'hex') as hash
      from account.rate_schedule v join account.tariff on tariff.id = v.tariff_id
      where tariff.code in (select jsonb_array_elements_text(${asJson(documents.map((document) => document.code))}::jsonb))`
  )
  const byKey = new Map(found.map((row) => [keyOf(row.code, row.version), row]))
  const { missing, unchanged } = missingOf<TariffDocument, Standing>(
    {
      list: 'tariffs',
      label: (document) => `the tariff ${document.code} ${document.version}`,
      differences: (document, row) => differing({ content: [tariffHash(document), row.hash] })
    },
    documents,
    (document) => byKey.get(keyOf(document.code, document.version))
  )
  await insertVersions(database, missing, publishedBy)
  return { created: missing.length, unchanged }
}

/** SHA-256 of the canonical document in hex: what a bill freezes of its tariff. */
export function tariffHash(document: unknown): string {
  return createHash('sha256').update(canonicalJson(document), 'utf8').digest('hex')
}

function checkDocuments(items: readonly unknown[], kdv: KdvTable): TariffDocument[] {
  const documents: TariffDocument[] = []
  const problems: { path: string; message: string }[] = []
  let onlyExamples = true
  for (const [index, item] of items.entries()) {
    const checked = checkTariff(item, kdv)
    if (checked.ok) {
      documents.push(checked.value)
      continue
    }
    for (const problem of checked.error) {
      const path = problem.path === '/' ? '' : problem.path
      onlyExamples &&= path.startsWith('/examples/')
      problems.push({ path: `/tariffs/${index}${path}`, message: problem.message })
    }
  }
  refuse(onlyExamples ? 'TARIFF_EXAMPLE_FAILS' : 'TARIFF_INVALID', problems)
  return documents
}

/** A tariff's row is made by its first version and never changed: its name is read from the newest one's document. */
async function insertVersions(database: Database, missing: readonly TariffDocument[], publishedBy: string): Promise<void> {
  const ordered = [...missing].sort((a, b) => (a.validFrom < b.validFrom ? -1 : 1))
  for (const document of ordered) {
    await execute(
      database,
      sql`insert into account.tariff (code, name_tr, name_en) values (${document.code}, ${document.name.tr}, ${document.name.en})
        on conflict (code) do nothing`
    )
    await execute(
      database,
      sql`insert into account.rate_schedule (tariff_id, version, valid_from, document, hash, published_by)
        select id, ${document.version}, ${document.validFrom}::date, ${asJson(document)}::jsonb, ${Buffer.from(tariffHash(document), 'hex')},
          ${publishedBy}
        from account.tariff where code = ${document.code}`
    )
  }
}
