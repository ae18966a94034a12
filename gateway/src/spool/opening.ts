import { existsSync, writeFileSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { KillPoint } from '../kill-points.js'
import { type Database, leftSomethingOut, openDatabase, troubleOf, wordsOf } from './database.js'
import type { Reserve } from './reserve.js'
import { isWhole } from './state.js'

export interface OpeningOptions {
  readonly directory: string
  readonly reserve: Reserve
  readonly log: Log
  readonly killPoint: KillPoint
}

/** A disk that damages more spools than this is to be replaced, not filled with copies. */
export const mostSetAside = 3

const mark = 'damaged'

/** Remembers for the next start that this spool gave something else than was written. */
export function markDamaged(directory: string, reason: string): void {
  writeFileSync(join(directory, mark), `${reason}\n`, { flush: true })
}

/**
 * Opens the database of a spool. A damaged one is set aside under another name, where it stays, and an empty one begins in its place.
 *
 * @throws {AppError} DATA_DIRECTORY_IN_USE, SPOOL_DISK_FULL, SPOOL_DAMAGED when too many are set aside already, CONFIG_INVALID
 */
export async function openOrSetAside(options: OpeningOptions): Promise<Database> {
  const { directory, reserve } = options
  try {
    return await openWhole(directory)
  } catch (thrown) {
    switch (troubleOf(thrown)) {
      case 'locked':
        throw new AppError('DATA_DIRECTORY_IN_USE', `the spool ${directory} can't be opened: is another gateway using it?`, {}, thrown)
      case 'full':
        await reserve.release()
        return openInReserve(directory)
      case 'damaged':
        await setAside(options, wordsOf(thrown))
        return openDatabase(directory)
      case 'other':
        throw new AppError('CONFIG_INVALID', `the spool ${directory} can't be opened: ${wordsOf(thrown)}`, {}, thrown)
    }
  }
}

async function openWhole(directory: string): Promise<Database> {
  if (existsSync(join(directory, mark))) throw new AppError('SPOOL_DAMAGED', 'it was found damaged when it was read')
  const database = await openDatabase(directory)
  if (!(await leftSomethingOut(directory)) || (await isWhole(database))) return database
  await database.close()
  throw new AppError('SPOOL_DAMAGED', 'a part of its log is not what was written')
}

async function openInReserve(directory: string): Promise<Database> {
  try {
    return await openDatabase(directory)
  } catch (thrown) {
    const message = `the disk of the spool ${directory} is full, so that it can't even be opened: remove what does not belong on that disk`
    throw new AppError('SPOOL_DISK_FULL', message, { directory }, thrown)
  }
}

async function setAside({ directory, log, killPoint }: OpeningOptions, reason: string): Promise<void> {
  const aside = asideNames(directory).find((name) => !existsSync(name))
  if (aside === undefined) {
    const message = `the spool ${directory} is damaged (${reason}), and ${mostSetAside} damaged ones are kept beside it: replace the disk, or move those away`
    throw new AppError('SPOOL_DAMAGED', message, { directory })
  }
  await rename(directory, aside)
  killPoint('damage.aside')
  const message = `the spool was damaged: it is kept as ${aside}, a new one begins, and what can be read of the damaged one is taken over. Check the disk`
  log.error('spool set aside', { code: 'SPOOL_DAMAGED', directory, reason, keptAs: aside, message })
}

/** The names under which damaged spools are kept, whether they are there or not. */
export function asideNames(directory: string): string[] {
  return Array.from({ length: mostSetAside }, (_, index) => `${directory}-damaged-${index + 1}`)
}
