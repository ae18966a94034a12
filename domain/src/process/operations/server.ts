import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { AppError } from '../../errors/catalogue.js'
import type { Log } from '../log.js'
import type { RunningProcess } from '../run.js'
import { Metrics, withinTime } from './metrics.js'
import { type OperationsSettings, operationsNames } from './settings.js'

/** One thing that a process needs to do its work now. */
export interface Check {
  readonly name: string
  /** why it is not there, in words without secrets; undefined when it is */
  readonly missing: () => string | undefined | Promise<string | undefined>
  /** true for what is only said: the process does its work without it */
  readonly dispensable?: true
}

const checkWithinMs = 2_000
/** Monitors come by one at a time; whoever opens more has lost its way. */
const mostConnections = 16
const requestWithinMs = 5_000
const headerBytes = 8_192

/**
 * Tells a monitor how a process is: `/health`, that it lives; `/ready`, whether it can do its work now, with what is missing;
 * `/metrics`, its numbers. It has no secret to tell and no way to change anything, and is heard on loopback unless told otherwise.
 */
export class Operations {
  readonly metrics: Metrics
  readonly #log: Log
  readonly #settings: { readonly host: string; readonly port: number }
  readonly #server: Server
  #checks: readonly Check[] = []
  #draining = false

  /** @returns undefined where no port is set: nothing listens, and nothing is counted */
  static of(service: string, settings: OperationsSettings, log: Log): Operations | undefined {
    const { operationsHost: host, operationsPort: port } = settings
    return port === undefined ? undefined : new Operations(service, { host, port }, log)
  }

  private constructor(service: string, settings: { readonly host: string; readonly port: number }, log: Log) {
    this.metrics = new Metrics(service)
    this.#settings = settings
    this.#log = log
    const limits = {
      requestTimeout: requestWithinMs,
      headersTimeout: requestWithinMs,
      keepAliveTimeout: requestWithinMs,
      maxHeaderSize: headerBytes
    }
    this.#server = createServer(limits, (request, response) => {
      this.#answer(request).then(
        (answer) => send(response, request.method === 'HEAD' ? { ...answer, body: '' } : answer),
        (thrown: unknown) => {
          this.#log.error('the operations server could not answer', { error: thrown })
          send(response, { status: 500, type: 'text/plain', body: 'it could not be said; see the log\n' })
        }
      )
    })
    this.#server.maxConnections = mostConnections
  }

  /**
   * Shows a process that runs. Before it stops, `/ready` says so for as long as the stop takes.
   *
   * @throws {AppError} PORT_TAKEN; the process is stopped then
   */
  async show(running: RunningProcess, checks: readonly Check[]): Promise<RunningProcess> {
    this.#checks = checks
    let port: number
    try {
      port = await this.#listen()
    } catch (thrown) {
      await running.stop()
      throw thrown
    }
    this.#log.info('operations listen', { host: this.#settings.host, port })
    return {
      ready: { ...running.ready, operationsPort: port },
      stop: async () => {
        this.#draining = true
        await running.stop()
        this.#server.closeAllConnections()
        await new Promise((resolve) => this.#server.close(resolve))
      }
    }
  }

  async #listen(): Promise<number> {
    const { host, port } = this.#settings
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const setting = operationsNames.operationsPort
        const text = `${host}:${port} is taken by another program; set ${setting} to a free port, or stop it`
        reject(error.code === 'EADDRINUSE' ? new AppError('PORT_TAKEN', text, { port, setting }, error) : error)
      })
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new AppError('INTERNAL', 'the operations server has no port')
    return address.port
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'only GET\n' }
    const path = (request.url ?? '').split('?', 1)[0]
    if (path === '/health') return json(200, { alive: true })
    if (path === '/ready') return this.#readiness()
    if (path === '/metrics') return { status: 200, ...(await this.metrics.text()) }
    return { status: 404, type: 'text/plain', body: '/health, /ready, /metrics\n' }
  }

  async #readiness(): Promise<Answer> {
    const checks = await Promise.all(
      this.#checks.map(async ({ name, missing, dispensable = false }) => {
        // Why exactly is in the log: an error of a driver may name hosts and users.
        const why = await withinTime(checkWithinMs, async () => missing()).catch(() => 'it does not answer')
        return { name, ok: why === undefined, dispensable, ...(why === undefined ? {} : { why }) }
      })
    )
    const ready = !this.#draining && checks.every((check) => check.ok || check.dispensable)
    return json(ready ? 200 : 503, { ready, draining: this.#draining, checks })
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` }
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
}
