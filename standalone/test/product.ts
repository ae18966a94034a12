import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Addresses } from '../src/run.js'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))

/** The start command as a person runs it, on free ports. */
export interface Product {
  readonly process: ChildProcess
  /** what it wrote so far */
  output(): string
  /** resolves when ready.json appears */
  ready(): Promise<Addresses>
  /** resolves with the exit code, or the signal's name */
  ended(): Promise<number | string>
  stop(): Promise<number | string>
}

export function startProduct(
  data: string,
  options: {
    readonly site?: string
    readonly killAt?: string
    readonly environment?: Record<string, string>
    readonly words?: string[]
  } = {}
): Product {
  const words = [
    '--data',
    data,
    '--port',
    '0',
    '--mqtt-port',
    '0',
    ...(options.site === undefined ? [] : ['--site', options.site]),
    ...(options.words ?? [])
  ]
  const { npm_lifecycle_event: _underNpm, ...environment } = process.env
  const child = spawn(process.execPath, [main, ...words], {
    env: { ...environment, ...(options.killAt === undefined ? {} : { ENDEKS_KILL_AT: options.killAt }), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = once(child, 'close').then(([code, signal]: (number | string | null)[]) => signal ?? code ?? 0)
  const path = join(data, 'ready.json')
  return {
    process: child,
    output: () => output,
    ready: async () => {
      for (let tries = 0; tries < 2_400; tries += 1) {
        if (existsSync(path)) return JSON.parse(readFileSync(path, 'utf8')) as Addresses
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`it ended before it was ready:\n${output}`)
        await sleep(50)
      }
      throw new Error(`it is not ready:\n${output}`)
    },
    ended: async () => await ended,
    stop: async () => {
      child.kill('SIGINT')
      return await ended
    }
  }
}

/** Processes whose command line or working directory lies in a data directory: what a start may not leave behind. */
export function processesOf(data: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        const directory = readlinkSync(`/proc/${pid}/cwd`)
        return command.includes(data) || directory.startsWith(data) ? [`${pid} ${command}`] : []
      } catch {
        return []
      }
    })
}
