import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { asError } from '@endeks/domain/errors'
import { configInvalid } from '@endeks/domain/process'

/** Files by which a directory is known as one of ours. */
const marks = ['secrets.json', 'started-on', 'processes.json', 'database']

/**
 * Makes the data directory, or takes one that is empty or was made by an earlier start.
 *
 * @throws {AppError} CONFIG_INVALID for a directory that holds other things, or none that can be used
 */
export function prepareDirectory(directory: string): void {
  const refuse = (message: string): never => {
    throw configInvalid('the command line', [{ path: '--data', message: `${directory} ${message}` }])
  }
  if (existsSync(directory)) {
    if (!statSync(directory).isDirectory()) refuse('is no directory')
    const names = readdirSync(directory)
    if (names.length > 0 && !names.some((name) => marks.includes(name))) refuse('holds other things: choose an empty or a new directory')
  }
  try {
    mkdirSync(directory, { recursive: true })
    // PostgreSQL runs as another account where this one is root: it has to pass through, and need not look around.
    if (process.getuid?.() === 0) chmodSync(directory, (statSync(directory).mode & 0o7777) | 0o011)
  } catch (thrown) {
    refuse(`can't be used: ${asError(thrown).message}`)
  }
}
