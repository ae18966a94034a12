import { type ChildProcess, fork } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { AppError } from '@endeks/domain/errors'

export interface Service {
  readonly name: string
  /** the compiled main.ts of its workspace */
  readonly main: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** What a service said when it was ready, such as its port. */
export type Ready = Readonly<Record<string, unknown>>

export interface Supervisor {
  /** Starts a service and waits until it is ready. @throws {AppError} CHILD_FAILED with the last lines of its log */
  start(service: Service): Promise<Ready>
  /** where each service tells how it is, by its name; one that was started again has another port than it had */
  operations(): Readonly<Record<string, string>>
  /** Stops everything, last started first. */
  stop(): Promise<void>
}

const readyWithinMs = 60_000
const stopWithinMs = 12_000
/** More restarts than these within a minute mean that starting again does not help. */
const mostRestartsAMinute = 5
const restartAfterMs = 1_000
const keptLines = 12

interface Child {
  readonly service: Service
  process: ChildProcess
  readonly restarts: number[]
}

/**
 * Runs the same main.ts processes that a server would run, each as a child with an IPC channel: a child ends when the channel
 * closes, so none outlives this process however it dies. One that dies by itself is started again, a bounded number of times.
 */
export function createSupervisor(options: {
  readonly logFile: string
  /** what every child is given beside its own settings: no secret of this process's environment */
  readonly inherited: Readonly<Record<string, string>>
  readonly onLost: (error: AppError) => void
  /** told all child processes whenever there is a new one */
  readonly onStarted: (pids: readonly number[]) => void
  readonly dieWithChildren: boolean
}): Supervisor {
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 })
  const children: Child[] = []
  const operations = new Map<string, string>()
  let stopping = false

  const report = (): void => options.onStarted(children.flatMap((child) => (child.process.pid === undefined ? [] : [child.process.pid])))

  const watch = (child: Child): void => {
    child.process.once('exit', (code, signal) => {
      if (stopping) return
      // A test that kills a service at a named point means the whole product, as when the machine loses power.
      if (options.dieWithChildren && signal === 'SIGKILL') process.kill(process.pid, 'SIGKILL')
      const now = performance.now()
      child.restarts.push(now)
      const recent = child.restarts.filter((at) => at > now - 60_000)
      const failed = `${child.service.name} ended with ${signal ?? code}`
      if (recent.length > mostRestartsAMinute) {
        options.onLost(new AppError('CHILD_FAILED', `${failed}, ${recent.length} times within a minute: see ${options.logFile}`))
        return
      }
      setTimeout(() => {
        if (stopping) return
        const again = launch(child.service, options.inherited, log)
        child.process = again.process
        report()
        watch(child)
        // One that ends before it is ready ends all the same: its exit is counted above, and it is started again.
        again.ready.catch((thrown: AppError) => log.write(`${thrown.message}\n`))
      }, restartAfterMs)
    })
  }

  return {
    start: async (service) => {
      const { process: started, ready } = launch(service, options.inherited, log)
      const child: Child = { service, process: started, restarts: [] }
      children.push(child)
      report()
      const said = await ready
      watch(child)
      if (typeof said['operationsPort'] === 'number') operations.set(service.name, `http://127.0.0.1:${said['operationsPort']}`)
      return said
    },
    operations: () => Object.fromEntries(operations),
    stop: async () => {
      stopping = true
      for (const child of children.toReversed()) await end(child.process)
      await new Promise<void>((resolve) => log.end(resolve))
    }
  }
}

function launch(
  service: Service,
  inherited: Readonly<Record<string, string>>,
  log: WriteStream
): { process: ChildProcess; ready: Promise<Ready> } {
  const child = fork(service.main, [...service.args], {
    env: { ...inherited, ...service.environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  const tail: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text)
      tail.push(...text.split('\n').filter((line) => line !== ''))
      tail.splice(0, tail.length - keptLines)
    })
  }
  const ready = new Promise<Ready>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new AppError('CHILD_FAILED', `${service.name} ${why}\n${tail.map(readable).join('\n')}`, { service: service.name }))
    const overdue = setTimeout(() => fail(`was not ready within ${readyWithinMs / 1000} s`), readyWithinMs)
    child.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('ready' in message)) return
      clearTimeout(overdue)
      resolve(message as Ready)
    })
    // 'close' rather than 'exit': only then has its last line arrived.
    child.once('close', (code, signal) => {
      clearTimeout(overdue)
      fail(`ended with ${signal ?? code} before it was ready`)
    })
    child.once('error', (error) => fail(error.message))
  })
  return { process: child, ready }
}

/** A log line as a person reads it: the message of a JSON record, else the line. */
function readable(line: string): string {
  try {
    const record: unknown = JSON.parse(line)
    if (typeof record === 'object' && record !== null && 'message' in record) return `  ${String(record.message)}`
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
  }
  return `  ${line}`
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const overdue = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    child.once('exit', () => {
      clearTimeout(overdue)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
