import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export interface ServiceOptions {
  readonly name: string
  readonly workspace: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** where its output goes */
  readonly log: string
}

type Ready = Readonly<Record<string, unknown>>

/** A process of the product, the same program that a server runs, which may be killed and started again. */
export class Service {
  readonly #options: ServiceOptions
  #child: ChildProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()

  constructor(options: ServiceOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get log(): string {
    return this.#options.log
  }

  get runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /**
   * Starts it.
   *
   * @param killAt the kill point at which it is to die
   * @returns what it said when it was ready; undefined when it ended before
   */
  async start(killAt?: string): Promise<Ready | undefined> {
    const { workspace, args, environment, log } = this.#options
    const output = openSync(log, 'a')
    const child = fork(fileURLToPath(new URL(`../../../../${workspace}/dist/src/main.js`, import.meta.url)), [...args], {
      env: { PATH: process.env['PATH'] ?? '', ...environment, ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt }) },
      stdio: ['ignore', output, output, 'ipc']
    })
    closeSync(output)
    this.#child = child
    this.#exited = once(child, 'exit')
    return Promise.race([
      this.#exited.then(() => undefined),
      new Promise<Ready>((resolve) => {
        child.on('message', (message) => {
          if (typeof message === 'object' && message !== null && 'ready' in message) resolve(message as Ready)
        })
      })
    ])
  }

  /** Power off. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exited
  }

  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    await this.#exited
  }

  /** Whether it dies by itself within a time, as a process does that comes to its kill point. */
  async dies(withinMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), withinMs)
    })
    const died = this.#exited.then(() => this.#child?.signalCode === 'SIGKILL')
    return Promise.race([died, patience]).finally(() => clearTimeout(timer))
  }
}
