import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'
import { withDatabase } from '../migrate/ensure-database.js'
import { migrationsFolder } from '../migrate/files.js'
import { migrate, readMigrations } from '../migrate/index.js'
import { withClient } from '../migrate/migrate.js'
import { hasSqlState } from '../pool/transaction.js'

const templateLock = 0x656e_6474_706c
const templatesKept = 8
const workerEndsWithinMs = 10_000
const prefix = 'endeks_test_'
/** A database of a test that was killed; none runs this long. */
const abandonedAfterSeconds = 7_200

/**
 * The migrated database that tests clone, made once per set of migrations under a lock, so that of many processes one
 * migrates and the others wait. Nobody can connect to it: CREATE DATABASE refuses a template that somebody uses.
 *
 * @returns its name
 */
export async function ensureTemplate(adminUrl: string, folder: string = migrationsFolder): Promise<string> {
  const key = createHash('sha256')
  for (const { sha256, check } of await readMigrations(folder)) key.update(sha256).update(check)
  const name = `endeks_template_${key.digest('hex').slice(0, 16)}`
  await withClient(adminUrl, async (client) => {
    await client.query('select pg_advisory_lock($1)', [templateLock])
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1 and datistemplate', [name])
    if (rowCount === 1) return
    await client.query(`drop database if exists ${name} with (force)`)
    await client.query(`create database ${name}`)
    await migrate(withDatabase(adminUrl, name), { folder })
    await client.query(`alter database ${name} with is_template true allow_connections false`)
    // TimescaleDB keeps a worker in each database that has it; it doesn't come back to one that allows no connections.
    await client.query(`select pg_terminate_backend(pid, ${workerEndsWithinMs}) from pg_stat_activity where datname = $1`, [name])
    await dropRemains(client)
  })
  return name
}

/** A fresh clone of the template. Its name holds the time, so that what a killed test left can be told from what is in use. */
export async function cloneTemplate(adminUrl: string, template: string): Promise<string> {
  return withClient(adminUrl, async (client) => {
    const { rows } = await client.query<{ now: string }>(`select floor(extract(epoch from now()))::text as now`)
    const name = `${prefix}${rows[0]?.now ?? '0'}_${randomBytes(5).toString('hex')}`
    await client.query(`create database ${name} template ${template}`)
    return name
  })
}

export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, (client) => client.query(`drop database if exists ${pg.escapeIdentifier(name)} with (force)`))
}

/** On a server that outlives the run, killed tests leave databases and changed migrations leave templates. */
async function dropRemains(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select datname as name from pg_database
     where datname like '${prefix.replaceAll('_', '\\_')}%' and split_part(datname, '_', 3) ~ '^\\d{1,12}$'
       and split_part(datname, '_', 3)::bigint < extract(epoch from now()) - ${abandonedAfterSeconds}
     union all
     (select datname from pg_database where datname like 'endeks\\_template\\_%' order by oid desc offset ${templatesKept})`
  )
  for (const { name } of rows) {
    try {
      await client.query(`alter database ${pg.escapeIdentifier(name)} with is_template false`)
      await client.query(`drop database ${pg.escapeIdentifier(name)}`)
    } catch (thrown) {
      // object_in_use, or another run was quicker
      if (!hasSqlState(thrown, '55006', '3D000')) throw thrown
    }
  }
}
