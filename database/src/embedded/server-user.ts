import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { AppError } from '@endeks/domain/errors'

const execute = promisify(execFile)

/** The account of the operating system that the server runs as. */
export interface ServerUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/**
 * PostgreSQL refuses to run as root, so root drops to `postgres`, else to `nobody`.
 *
 * @returns undefined when this process isn't root and the server simply runs as the same user
 * @throws {AppError} DATABASE_START when this is root and neither account exists
 */
export async function serverUser(names: readonly string[] = ['postgres', 'nobody']): Promise<ServerUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of names) {
    const uid = await idOf('-u', name)
    const gid = await idOf('-g', name)
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, uid, gid }
  }
  throw new AppError(
    'DATABASE_START',
    `PostgreSQL does not run as root, and there is no account ${names.join(' or ')} to run it as; create one, or start as another user`,
    { names }
  )
}

async function idOf(option: string, name: string): Promise<number | undefined> {
  try {
    const { stdout } = await execute('id', [option, name], { timeout: 5_000 })
    const id = Number(stdout.trim())
    return Number.isInteger(id) ? id : undefined
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 1) return undefined
    throw thrown
  }
}

/** uid and gid for a child process; empty when nothing is dropped. */
export function asUser(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid }
}

/**
 * What a server program sees of the environment. The PG* variables of whoever starts us would change its behaviour, and its
 * texts are read here, so they must be the untranslated ones.
 */
export function serverEnvironment(): Record<string, string> {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

/** Whether that account may enter the directory, asked of the system itself: modes alone don't tell of access lists. */
export async function mayEnter(user: ServerUser, directory: string): Promise<boolean> {
  try {
    await execute('test', ['-x', directory], { ...asUser(user), cwd: '/', timeout: 5_000 })
    return true
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 1) return false
    throw thrown
  }
}
