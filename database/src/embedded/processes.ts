import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const onLinux = process.platform === 'linux'

/**
 * A text that no other process ever has: the pid, and a hash of when it started and under which boot. A pid alone comes
 * back after a restart, in a container nearly always.
 *
 * @returns undefined when the process is gone or is a zombie, which keeps its pid but runs no more
 */
export async function identityOf(pid: number): Promise<string | undefined> {
  const start = onLinux ? await linuxStart(pid) : await psStart(pid)
  if (start === undefined) return undefined
  return `${pid}-${createHash('sha256').update(start).digest('hex').slice(0, 16)}`
}

async function linuxStart(pid: number): Promise<string | undefined> {
  const stat = await readOrUndefined(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the program's name in parentheses and may hold spaces and parentheses itself; proc(5) counts the
  // state as field 3 and the start time as field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  const boot = await readOrUndefined('/proc/sys/kernel/random/boot_id')
  return `${boot ?? ''}${fields[19] ?? ''}`
}

async function psStart(pid: number): Promise<string | undefined> {
  const line = await ps(pid, ['stat=', 'lstart='])
  return line === undefined || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '')
}

/** Every process whose working directory is this one: a PostgreSQL server and its children live in their data directory. */
export async function processesIn(directory: string): Promise<number[]> {
  if (!onLinux) return []
  const pids: number[] = []
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await runsIn(Number(name), directory))) pids.push(Number(name))
  }
  return pids
}

/** Whether the process runs and works in the directory. Elsewhere than on Linux its command line must name the directory. */
export async function runsIn(pid: number, directory: string): Promise<boolean> {
  if (!onLinux) return (await ps(pid, ['command=']))?.includes(directory) ?? false
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === directory
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return false
    throw thrown
  }
}

/** Sends a signal; false when the process was gone already. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch (thrown) {
    if (isSystemError(thrown, 'ESRCH')) return false
    throw thrown
  }
}

/** Whether the operating system refused with one of these codes. */
export function isSystemError(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && codes.includes(thrown.code)
}

/** A small file's text, undefined when there is none. */
export async function readOrUndefined(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT', 'ESRCH')) return undefined
    throw thrown
  }
}

async function ps(pid: number, columns: readonly string[]): Promise<string | undefined> {
  const { stdout } = await execute('ps', [...columns.flatMap((column) => ['-o', column]), '-p', String(pid)], { timeout: 5_000 }).catch(
    (thrown: unknown) => {
      // ps ends with 1 when there is no such process
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 1) return { stdout: '' }
      throw thrown
    }
  )
  return stdout.trim() === '' ? undefined : stdout.trim()
}
