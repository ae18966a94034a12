import { readdirSync, readFileSync } from 'node:fs'

/** Of Linux's clock ticks there are a hundred a second, whatever the kernel counts in. */
const microsecondsPerTick = 10_000
const bytesPerPage = 4_096
const bytesPerMb = 1_048_576

/** Processor time of one process since its start, in microseconds. */
export function processorTime(pid: number): number {
  const { user, system } = statOf(pid)
  return (user + system) * microsecondsPerTick
}

/** Processor time of a server with all processes it started: the living, and those that it has waited for. */
export function processorTimeOfTree(pid: number): number {
  const { user, system, waitedUser, waitedSystem } = statOf(pid)
  return childrenOf(pid).reduce(
    (sum, child) => sum + (sampled(() => processorTime(child)) ?? 0),
    (user + system + waitedUser + waitedSystem) * microsecondsPerTick
  )
}

/** Resident memory of a process in MB, as the system counts it. */
export function residentMb(pid: number): number {
  return (memoryOf(pid).resident * bytesPerPage) / bytesPerMb
}

/** Resident memory of a server and its processes in MB, what they share counted once. */
export function residentMbOfTree(pid: number): number {
  const { resident } = memoryOf(pid)
  const own = childrenOf(pid).reduce((sum, child) => {
    const memory = sampled(() => memoryOf(child))
    return sum + (memory === undefined ? 0 : memory.resident - memory.shared)
  }, resident)
  return (own * bytesPerPage) / bytesPerMb
}

function memoryOf(pid: number): { readonly resident: number; readonly shared: number } {
  const [, resident = 0, shared = 0] = readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ').map(Number)
  return { resident, shared }
}

interface Stat {
  readonly parent: number
  readonly user: number
  readonly system: number
  readonly waitedUser: number
  readonly waitedSystem: number
}

/** @see proc_pid_stat(5): the name in brackets may hold blanks, so fields are counted from behind it */
function statOf(pid: number): Stat {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3] ?? 0)
  return { parent: field(4), user: field(14), system: field(15), waitedUser: field(16), waitedSystem: field(17) }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((each) => sampled(() => statOf(each).parent) === pid)
}

/** A process that ended since it was listed has nothing to say any more. */
function sampled<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ESRCH')) return undefined
    throw thrown
  }
}
