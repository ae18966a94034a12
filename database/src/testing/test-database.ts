import type pg from 'pg'
import { withDatabase } from '../migrate/ensure-database.js'
import { createPool, plainName } from '../pool/pool.js'
import { joinSharedServer } from './shared-server.js'
import { cloneTemplate, dropDatabase, ensureTemplate } from './template.js'

/** A database of a test's own, migrated and empty. */
export interface TestDatabase {
  readonly name: string
  /** as the superuser */
  readonly adminUrl: string
  /** the superuser's URL whose connections run as the role from their first statement on */
  url(role: string): string
  /** as the role, as the superuser without one; ended when the test is over */
  createPool(role?: string): pg.Pool
  /** ends its pools and drops the database; the test's teardown does it too */
  drop(): Promise<void>
}

/** What of a tap test is needed. */
export interface Teardown {
  teardown(handler: () => Promise<void>): unknown
}

export interface TestDatabaseOptions {
  /** other migrations than the product's */
  readonly folder?: string
  /** connections of each pool; 4 by default */
  readonly max?: number
}

/**
 * A fresh database, cloned from a migrated template in the server that TEST_DATABASE_URL names (as a superuser), else in one
 * that all test processes of a run share. It is dropped when the test is over.
 *
 * @throws {AppError} DATABASE_START, DATABASE_UNREACHABLE: a test without its server fails, it is never skipped
 */
export async function testDatabase(t: Teardown, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const given = process.env['TEST_DATABASE_URL']
  const shared = given === undefined || given === '' ? await joinSharedServer() : undefined
  const serverUrl = shared?.adminUrl ?? given ?? ''
  const name = await cloneTemplate(serverUrl, await ensureTemplate(serverUrl, options.folder))
  const adminUrl = withDatabase(serverUrl, name)
  const pools: pg.Pool[] = []
  let dropping: Promise<void> | undefined
  const drop = async (): Promise<void> => {
    await Promise.all(pools.filter((pool) => !pool.ending).map((pool) => pool.end()))
    await dropDatabase(serverUrl, name)
    shared?.leave()
  }
  const database: TestDatabase = {
    name,
    adminUrl,
    url: (role) => {
      const url = new URL(adminUrl)
      url.searchParams.set('options', `-c role=${plainName(role)}`)
      return url.toString()
    },
    createPool: (role) => {
      const pool = createPool({
        url: adminUrl,
        max: options.max ?? 4,
        applicationName: `test as ${role ?? 'superuser'}`,
        ...(role === undefined ? {} : { role })
      })
      pools.push(pool)
      return pool
    },
    drop: () => {
      dropping ??= drop()
      return dropping
    }
  }
  t.teardown(() => database.drop())
  return database
}
