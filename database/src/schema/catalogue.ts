import type pg from 'pg'

export interface CatalogueColumn {
  readonly schema: string
  readonly table: string
  readonly column: string
  /** pg_type.typname, of a domain the one below it */
  readonly type: string
  readonly array: boolean
  /** an enum's labels in order, null for any other type */
  readonly labels: readonly string[] | null
  readonly nullable: boolean
  readonly hasDefault: boolean
  /** identity or generated ALWAYS */
  readonly computed: boolean
}

/** What the tables are for; public holds only the list of migrations, rating_run the tables of runs under way. */
export const schemas = ['account', 'audit', 'ledger', 'metering', 'rating'] as const

/** Every column of every table and view of our schemas, partitions left out: who queries one knows its parent. */
export async function readCatalogue(client: pg.ClientBase): Promise<CatalogueColumn[]> {
  const { rows } = await client.query<CatalogueColumn>(
    `with recursive type_of as (
       select oid as id, oid as base, typnotnull as strict from pg_type
       union all
       select t.id, p.typbasetype, t.strict or p.typnotnull from type_of t join pg_type p on p.oid = t.base where p.typtype = 'd'
     ),
     base_of as (
       select t.id, t.base, t.strict from type_of t join pg_type p on p.oid = t.base where p.typtype <> 'd'
     )
     select n.nspname::text as schema, c.relname::text as table, a.attname::text as column,
       coalesce(item.typname, base.typname)::text as type,
       item.oid is not null as array,
       (select array_agg(e.enumlabel::text order by e.enumsortorder) from pg_enum e where e.enumtypid = coalesce(item.oid, base.oid)) as labels,
       not (a.attnotnull or b.strict) as nullable,
       a.atthasdef or a.attidentity <> '' as "hasDefault",
       a.attidentity = 'a' or a.attgenerated <> '' as computed
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     join base_of b on b.id = a.atttypid
     join pg_type base on base.oid = b.base
     left join pg_type item on item.oid = base.typelem and base.typcategory = 'A'
     where n.nspname = any ($1) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
     order by n.nspname collate "C", c.relname collate "C", a.attnum`,
    [[...schemas]]
  )
  return rows
}
