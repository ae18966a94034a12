import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import { identityOf, isSystemError } from './processes.js'

export interface DirectoryLock {
  release(): Promise<void>
}

const attempts = 8
const pattern = /^launcher\.((\d+)-[0-9a-f]{16})\.lock$/

/**
 * Makes this process the only launcher of a directory.
 *
 * Each contender first writes a file named by its own identity and then looks for others: of two, at least one sees the
 * other, so two can't both win, and there is no stale file to take over, which is where lock files race. A file whose
 * process is gone (SIGKILL leaves one) can never come to life again, so anybody may remove it. Two that meet withdraw and
 * come back after a random pause.
 *
 * @throws {AppError} DATA_DIRECTORY_IN_USE when another living process, or this one, has it
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const own = await identityOf(process.pid)
  if (own === undefined) throw new AppError('DATABASE_START', 'this process has no start time that the system would tell')
  const path = join(directory, `launcher.${own}.lock`)
  let holder = process.pid
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    try {
      await writeFile(path, `${process.pid}\n`, { flag: 'wx', mode: 0o644 })
    } catch (thrown) {
      if (isSystemError(thrown, 'EEXIST')) throw inUse(directory, process.pid)
      throw thrown
    }
    const other = await otherHolder(directory, own)
    if (other === undefined) return { release: () => rm(path, { force: true }) }
    holder = other
    await rm(path, { force: true })
    await sleep(20 + Math.random() * 130)
  }
  throw inUse(directory, holder)
}

async function otherHolder(directory: string, own: string): Promise<number | undefined> {
  for (const name of await readdir(directory)) {
    const match = pattern.exec(name)
    if (match === null || match[1] === own) continue
    const pid = Number(match[2])
    if ((await identityOf(pid)) === match[1]) return pid
    await rm(join(directory, name), { force: true })
  }
  return undefined
}

function inUse(directory: string, pid: number): AppError {
  return new AppError(
    'DATA_DIRECTORY_IN_USE',
    `${directory} is in use by process ${pid}; stop that process first, or choose another directory`,
    { directory, pid }
  )
}
