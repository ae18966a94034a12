import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A process that is measured or that measures. It hears of our end by its channel, so none stays behind. */
export interface Child {
  readonly pid: number
  /** what it said when it was ready */
  readonly ready: Readonly<Record<string, unknown>>
  readonly runs: boolean
  /** Sends it a message and waits for the one that answers it. */
  ask(message: object, withinMs: number): Promise<unknown>
  /** Ends it at once, as a fault would. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export interface ChildOptions {
  readonly environment?: Readonly<Record<string, string>>
  readonly arguments?: readonly string[]
  /** where its output goes */
  readonly log: string
}

/** How long a process may take to say that it runs, or to stop. */
const longestWaitMs = 30_000

/** Starts the built main program of a workspace. */
export function startService(workspace: string, options: ChildOptions): Promise<Child> {
  return startChild(fileURLToPath(new URL(`../../../${workspace}/dist/src/main.js`, import.meta.url)), options)
}

/** Starts a program that says `{ ready: true }` on its channel once it runs. */
export async function startChild(program: string, options: ChildOptions): Promise<Child> {
  const log = createWriteStream(options.log, { flags: 'a' })
  await once(log, 'open')
  const child = spawn(process.execPath, [program, ...(options.arguments ?? [])], {
    env: { ...process.env, ...options.environment },
    stdio: ['ignore', log, log, 'ipc'],
    serialization: 'advanced'
  })
  log.end()
  const ready = (await answer(child, { program, log: options.log, withinMs: longestWaitMs })) as Readonly<Record<string, unknown>>
  const runs = (): boolean => child.exitCode === null && child.signalCode === null
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (!runs()) return
    const exit = once(child, 'exit', { signal: AbortSignal.timeout(longestWaitMs) })
    child.kill(signal)
    await exit
  }
  return {
    pid: child.pid ?? 0,
    ready,
    get runs() {
      return runs()
    },
    ask: async (message, withinMs) => {
      const answered = answer(child, { program, log: options.log, withinMs })
      child.send(message)
      return answered
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM')
  }
}

function answer(child: ChildProcess, about: { readonly program: string; readonly log: string; readonly withinMs: number }) {
  return new Promise<unknown>((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      child.off('message', answered)
      child.off('exit', ended)
    }
    const fail = (why: string): void => {
      settle()
      reject(new Error(`${about.program} ${why}:\n${readFileSync(about.log, 'utf8').slice(-2_000)}`))
    }
    const answered = (message: unknown): void => {
      settle()
      resolve(message)
    }
    const ended = (): void => fail('ended')
    const timer = setTimeout(() => fail(`did not answer within ${about.withinMs} ms`), about.withinMs)
    child.once('message', answered)
    child.once('exit', ended)
  })
}
