import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, open, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AppError, asError } from '@endeks/domain/errors'
import type { Binaries } from './binaries.js'
import { readOrUndefined } from './processes.js'
import { asUser, mayEnter, type ServerUser, serverEnvironment } from './server-user.js'

const execute = promisify(execFile)

/** Where things are in a launcher's directory. */
export interface Layout {
  readonly directory: string
  readonly cluster: string
  readonly password: string
  readonly serverLog: string
  readonly expendable: string
}

export const superuser = 'postgres'

const ours = /^(launcher\..*\.lock|superuser\.password(\.new)?|cluster|initdb-[0-9a-f]+|binaries[-.].*|server\.log(\.1)?|expendable)$/
const initdbWithinMs = 120_000

/**
 * Makes the directory, owned by the server's account. One that holds anything else is refused: it would be given to another
 * account, and `/srv` or a home directory must not be.
 *
 * @throws {AppError} DATABASE_START
 */
export async function prepareDirectory(given: string, user: ServerUser | undefined): Promise<Layout> {
  await mkdir(given, { recursive: true, mode: user === undefined ? 0o700 : 0o755 })
  const directory = await realpath(given)
  const foreign = (await readdir(directory)).filter((name) => !ours.test(name))
  if (foreign.length > 0) {
    throw new AppError(
      'DATABASE_START',
      `${directory} holds other things (${foreign.slice(0, 3).join(', ')}); give the database a directory of its own`,
      { directory, foreign: foreign.slice(0, 20) }
    )
  }
  if (user !== undefined) {
    await chown(directory, user.uid, user.gid)
    if (!(await mayEnter(user, directory))) {
      throw new AppError(
        'DATABASE_START',
        `the account ${user.name}, which the server runs as, can't enter ${directory}; choose a directory below folders that everybody may enter`,
        { directory, account: user.name }
      )
    }
  }
  return {
    directory,
    cluster: join(directory, 'cluster'),
    password: join(directory, 'superuser.password'),
    serverLog: join(directory, 'server.log'),
    expendable: join(directory, 'expendable')
  }
}

/** @returns the data directory's major version, undefined when there is no cluster yet */
export async function clusterVersion(layout: Layout): Promise<string | undefined> {
  const version = await readOrUndefined(join(layout.cluster, 'PG_VERSION'))
  if (version !== undefined) return version.trim()
  const content = await readdir(layout.cluster).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return []
    throw thrown
  })
  if (content.length === 0) return undefined
  throw new AppError(
    'DATABASE_START',
    `${layout.cluster} is not empty and has no PG_VERSION; it is left as it is: restore it from a backup, or move it away`,
    { cluster: layout.cluster }
  )
}

/** @throws {AppError} DATA_DIRECTORY_VERSION when the data was written by another major version */
export function refuseOtherVersion(layout: Layout, version: string, binaries: Binaries): void {
  if (version === binaries.major) return
  throw new AppError(
    'DATA_DIRECTORY_VERSION',
    `${layout.cluster} was written by PostgreSQL ${version} and this program brings PostgreSQL ${binaries.version}; ` +
      `start the program that wrote it, or dump there and restore into a new directory`,
    { directory: layout.directory, found: version, expected: binaries.major }
  )
}

/**
 * Makes the cluster under another name and renames it when it is whole, so that an initdb that was killed leaves something
 * that can't be taken for a cluster and is removed by the next start.
 *
 * @throws {AppError} DATABASE_START when initdb fails
 */
export async function createCluster(layout: Layout, binaries: Binaries, user: ServerUser | undefined, signal?: AbortSignal): Promise<void> {
  const fresh = join(layout.directory, `initdb-${randomBytes(6).toString('hex')}`)
  const expendable = (await readOrUndefined(layout.expendable)) !== undefined
  const options = [
    `--pgdata=${fresh}`,
    `--username=${superuser}`,
    `--pwfile=${layout.password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The builtin provider sorts by code point and knows no version that could change under an index; C.UTF-8 of the C
    // library is what lets pg_trgm take ı and ş for letters.
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--lc-messages=C',
    ...(expendable ? ['--no-sync'] : ['--data-checksums'])
  ]
  try {
    await execute(binaries.initdb, options, {
      ...asUser(user),
      ...(signal === undefined ? {} : { signal }),
      cwd: '/',
      env: serverEnvironment(),
      timeout: initdbWithinMs,
      maxBuffer: 1_048_576
    })
  } catch (thrown) {
    signal?.throwIfAborted()
    const detail = thrown instanceof Error && 'stderr' in thrown ? String(thrown.stderr).trim() : ''
    throw new AppError('DATABASE_START', `initdb failed: ${detail === '' ? asError(thrown).message : detail}`, {}, thrown)
  }
  await rename(fresh, layout.cluster)
  if (!expendable) await syncDirectory(layout.directory)
}

/** Removes what killed starts left: half-made clusters and half-copied binaries, never the cluster itself. */
export async function removeRemains(layout: Layout): Promise<string[]> {
  const remains = (await readdir(layout.directory)).filter((name) => /^(initdb-|binaries\.new-|superuser\.password\.new$)/.test(name))
  for (const name of remains) await rm(join(layout.directory, name), { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
  return remains
}

/**
 * The superuser's password, made at random the first time. It is on disk before initdb is given it, so no cluster can exist
 * whose password is lost with a crash.
 *
 * @throws {AppError} DATABASE_START when there is a cluster and the file is gone
 */
export async function superuserPassword(layout: Layout, user: ServerUser | undefined, clusterExists: boolean): Promise<string> {
  const known = (await readOrUndefined(layout.password))?.trim()
  if (known !== undefined && known !== '') return known
  if (clusterExists) {
    throw new AppError('DATABASE_START', `${layout.password} is gone or empty; it holds the password of this cluster: restore it`, {
      path: layout.password
    })
  }
  const password = randomBytes(32).toString('base64url')
  const fresh = `${layout.password}.new`
  await writeFile(fresh, `${password}\n`, { mode: 0o600, flush: true })
  if (user !== undefined) await chown(fresh, user.uid, user.gid)
  await rename(fresh, layout.password)
  await syncDirectory(layout.directory)
  return password
}

/** The last lines that the server wrote from a position on. */
export async function logTail(layout: Layout, from: number): Promise<string> {
  const text = (await readFile(layout.serverLog)).subarray(from).toString('utf8')
  return text.slice(-4_000).trim()
}

async function syncDirectory(path: string): Promise<void> {
  for (const each of [path, dirname(path)]) {
    const handle = await open(each, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }
}
