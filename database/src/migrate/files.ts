import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '@endeks/domain/errors'

/** One step of the schema and the questions that must be answered with no rows after it. */
export interface Migration {
  readonly number: number
  /** the file's name without its ending: 0001_create_roles */
  readonly name: string
  readonly sql: string
  readonly check: string
  /** of the SQL with line ends as LF, as a checkout may turn them */
  readonly sha256: string
}

/** The package's own migrations, which are shipped as they are and not compiled. */
export const migrationsFolder = fileURLToPath(new URL('../../../migrations/', import.meta.url))

const migrationName = /^(\d{4})_[a-z0-9]+(_[a-z0-9]+)*\.sql$/
const checkName = /^(\d{4})\.check\.sql$/

/**
 * The folder's migrations in order. Their numbers run from 0001 without a gap, each has its check, and there is no SQL file
 * beside them: a file that nobody runs is worse than none.
 *
 * @throws {AppError} MIGRATION_FAILED that lists everything wrong with the folder
 */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const steps = names.filter((name) => migrationName.test(name))
  const checks = new Set(names.filter((name) => checkName.test(name)))
  const problems = names
    .filter((name) => !migrationName.test(name) && !checkName.test(name))
    .map((name) => `${name} is not named NNNN_verb_noun.sql`)
  for (const [index, name] of steps.entries()) {
    const expected = String(index + 1).padStart(4, '0')
    if (!name.startsWith(expected)) problems.push(`${name} stands where number ${expected} is expected`)
    if (!checks.delete(`${name.slice(0, 4)}.check.sql`)) problems.push(`${name} has no ${name.slice(0, 4)}.check.sql`)
  }
  for (const name of checks) problems.push(`${name} checks no migration`)
  if (problems.length > 0) {
    throw new AppError('MIGRATION_FAILED', `the migrations in ${folder} can't be used:\n${problems.join('\n')}`, { folder, problems })
  }
  return Promise.all(steps.map((name) => readMigration(folder, name)))
}

async function readMigration(folder: string, file: string): Promise<Migration> {
  const sql = (await readFile(join(folder, file), 'utf8')).replaceAll('\r\n', '\n')
  return {
    number: Number(file.slice(0, 4)),
    name: file.slice(0, -'.sql'.length),
    sql,
    check: await readFile(join(folder, `${file.slice(0, 4)}.check.sql`), 'utf8'),
    sha256: createHash('sha256').update(sql).digest('hex')
  }
}
