import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.js', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

interface Run {
  readonly arguments: readonly string[]
  readonly input?: string
  readonly environment?: Readonly<Record<string, string>>
  /** stops it as a supervisor does */
  readonly signal?: AbortSignal
  /** told what has been printed so far, each time that there is more */
  readonly watch?: (out: string, kill: (signal: NodeJS.Signals) => void) => void
}

/** The gateway's executable as a process of its own, to its end. */
export async function runGateway(run: Run): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...run.arguments], { env: { ...process.env, ...run.environment } })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    run.watch?.(out, (signal) => void child.kill(signal))
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk
  })
  run.signal?.addEventListener('abort', () => void child.kill('SIGTERM'))
  child.stdin.end(run.input ?? '')
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, out, err }
}
