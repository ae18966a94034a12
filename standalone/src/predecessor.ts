import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@endeks/domain/errors'
import { writePrivately } from './secrets.js'

/** The processes that work on a data directory: the first started the others. */
interface Processes {
  readonly pids: readonly number[]
}

const fileName = 'processes.json'
/** Services whose supervisor was killed notice it at once and have this long to finish what they do. */
const endsWithinMs = 20_000
const lookEveryMs = 100

export function recordProcesses(directory: string, pids: readonly number[]): void {
  writePrivately(join(directory, fileName), `${JSON.stringify({ pids } satisfies Processes)}\n`)
}

export function forgetProcesses(directory: string): void {
  rmSync(join(directory, fileName), { force: true })
}

/**
 * Waits for what an earlier start left running. A start that was killed leaves services behind that are ending and still hold
 * ports and spools; one that is alive keeps its directory.
 *
 * @throws {AppError} DATA_DIRECTORY_IN_USE
 */
export async function awaitPredecessor(directory: string, onWait: () => void): Promise<void> {
  const path = join(directory, fileName)
  const pids = existsSync(path) ? pidsIn(readFileSync(path, 'utf8')) : []
  // A script that waits for ready.json must not read that of a start that is dead; one that is alive keeps its own.
  const [first] = pids
  if (first === undefined || !isOurs(first)) rmSync(join(directory, 'ready.json'), { force: true })
  const until = performance.now() + endsWithinMs
  let waited = false
  while (performance.now() < until) {
    if (!pids.some(isOurs)) return
    if (!waited) onWait()
    waited = true
    await sleep(lookEveryMs)
  }
  const alive = pids.filter(isOurs)
  throw new AppError(
    'DATA_DIRECTORY_IN_USE',
    `another start works on ${directory} (process ${alive.join(', ')}): stop it, or choose another directory with --data`,
    {
      directory,
      pids: alive
    }
  )
}

/** A file that a dying machine left half written names nobody. */
function pidsIn(text: string): readonly number[] {
  try {
    return (JSON.parse(text) as Processes).pids.filter((pid) => Number.isSafeInteger(pid) && pid > 1)
  } catch (thrown) {
    if (thrown instanceof SyntaxError || thrown instanceof TypeError) return []
    throw thrown
  }
}

/** Whether a process is alive and one of this product: numbers are given again to others. */
function isOurs(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM') return true
    return false
  }
  const commandLine = `/proc/${pid}/cmdline`
  return !existsSync(commandLine) || /standalone|dist\/src\/main\.js/.test(readFileSync(commandLine, 'utf8'))
}
