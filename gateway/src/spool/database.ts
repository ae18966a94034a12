import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError, asError } from '@endeks/domain/errors'
import { ClassicLevel } from 'classic-level'

export type Database = ClassicLevel<string, string>
export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

/** What a failure of LevelDB means for the spool. */
export type Trouble = 'full' | 'damaged' | 'locked' | 'other'

export function troubleOf(thrown: unknown): Trouble {
  if (thrown instanceof AppError) return thrown.code === 'SPOOL_DAMAGED' ? 'damaged' : 'other'
  // What failed to open says why as the cause of what it throws.
  const told = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : asError(thrown)
  const code = 'code' in told ? told.code : undefined
  if (code === 'LEVEL_LOCKED') return 'locked'
  if (code === 'ENOSPC' || code === 'EDQUOT' || /No space left|quota exceeded|File too large|not enough space/i.test(told.message))
    return 'full'
  // A table that is cut short or gone is no corruption to LevelDB, but a failed system call.
  const unreadable = code === 'LEVEL_IO_ERROR' && /Invalid argument|No such file|truncated/i.test(told.message)
  return code === 'LEVEL_CORRUPTION' || unreadable ? 'damaged' : 'other'
}

export function wordsOf(thrown: unknown): string {
  const error = asError(thrown)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** LevelDB maps each table that it has open into memory. At most 64 of a megabyte: a spool of a gigabyte would else be in memory whole. */
const tables = { maxOpenFiles: 74, maxFileSize: 1_048_576 } as const

/** @throws what LevelDB throws */
export async function openDatabase(directory: string): Promise<Database> {
  const database: Database = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8', ...tables })
  await database.open()
  return database
}

/**
 * Whether LevelDB left out a part of its log when it was opened last: a log that ends in the middle of a write, which nothing had answered
 * for, or one with a damaged byte, of which it gives what stands before and after without a word.
 */
export async function leftSomethingOut(directory: string): Promise<boolean> {
  return /dropping \d+ bytes/.test(await readFile(join(directory, 'LOG'), 'utf8'))
}
