import type { Pool, PoolClient } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type RawBuilder } from 'kysely'

/** What statements run on: the pool, or the one client of a transaction, so that a command or a posting joins it. */
export type Database = Pool | PoolClient

/** Turns a template into text and parameters; it has no connection of its own. */
const compiler = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new PostgresIntrospector(database),
    createQueryCompiler: () => new PostgresQueryCompiler()
  }
})

/** All rows that the statement answers with. */
export async function rows<Row extends object>(database: Database, statement: RawBuilder<Row>): Promise<Row[]> {
  const { sql, parameters } = statement.compile(compiler)
  const result = await database.query<Row>(sql, [...parameters])
  return result.rows
}

/** The first row, or undefined. */
export async function first<Row extends object>(database: Database, statement: RawBuilder<Row>): Promise<Row | undefined> {
  return (await rows(database, statement))[0]
}

/** The row of a statement that always has one. */
export async function only<Row extends object>(database: Database, statement: RawBuilder<Row>): Promise<Row> {
  const row = await first(database, statement)
  if (row === undefined) throw new AppError('INTERNAL', 'a statement that always answers with a row gave none')
  return row
}

/** A statement that is there for what it does. @returns how many rows it touched */
export async function execute(database: Database, statement: RawBuilder<unknown>): Promise<number> {
  const { sql, parameters } = statement.compile(compiler)
  const result = await database.query(sql, [...parameters])
  return result.rowCount ?? 0
}

/** Values as a JSON parameter, for `jsonb_to_recordset`: one statement for any number of rows. */
export function asJson(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each))
}
