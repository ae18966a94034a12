import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of the product under measurement. */
export interface Measured {
  readonly child: ChildProcess
  readonly runs: boolean
  /** the fields of the first line of its log that says this */
  said(message: string): Promise<Readonly<Record<string, unknown>>>
  stop(): Promise<void>
}

/** How long a process may take to say that it runs, or to stop. */
const longestWaitMs = 30_000

export function startMeasured(
  workspace: string,
  options: { readonly arguments: readonly string[]; readonly environment: Readonly<Record<string, string>>; readonly log: string }
): Measured {
  const program = fileURLToPath(new URL(`../../../${workspace}/dist/src/main.js`, import.meta.url))
  const environment = { ...process.env, ...options.environment }
  const child = spawn(process.execPath, [program, ...options.arguments], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  const log = createWriteStream(options.log)
  const waiting = new Map<string, (fields: Readonly<Record<string, unknown>>) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      log.write(`${line}\n`)
      for (const [message, resolve] of waiting) if (line.includes(JSON.stringify(message))) resolve(JSON.parse(line))
    })
  }
  // One that a signal ended has no exit code.
  const runs = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    child,
    get runs() {
      return runs()
    },
    said: (message) =>
      new Promise((resolve, reject) => {
        const fail = (): void => reject(new Error(`${workspace} did not say "${message}": see ${options.log}`))
        const timer = setTimeout(fail, longestWaitMs)
        child.once('exit', fail)
        waiting.set(message, (fields) => {
          clearTimeout(timer)
          child.off('exit', fail)
          waiting.delete(message)
          resolve(fields)
        })
      }),
    stop: async () => {
      if (runs()) {
        child.kill('SIGTERM')
        await once(child, 'exit', { signal: AbortSignal.timeout(longestWaitMs) })
      }
      log.end()
    }
  }
}
