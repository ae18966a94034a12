import { type AppError, isAppError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { Counters } from '../acquire/counters.js'
import type { KillPoint } from '../kill-points.js'
import type { Spool } from '../spool/spool.js'
import { BackOff } from './back-off.js'
import type { CommandDesk } from './command-line.js'
import type { ReplayRate } from './pace.js'
import { Session, type SessionEnd } from './session.js'
import { ownCertificateTrouble, readTls, type TlsContent, type TlsFiles } from './tls.js'

export interface UplinkOptions {
  readonly gateway: GatewayId
  readonly url: string
  /** needed unless the broker knows the gateway by its certificate */
  readonly password?: string | undefined
  readonly tls?: TlsFiles
  readonly spool: Spool
  readonly log: Log
  readonly counters: Counters
  readonly clock: Clock
  readonly replay?: ReplayRate
  readonly backOff?: BackOff
  readonly killPoint?: KillPoint
  /** without it, no command is heard */
  readonly commands?: CommandDesk
}

/** A connection that lasted so long has proved itself, whether or not there was anything to send. */
const provedAfterMs = 60_000

/**
 * From the disk to the broker: at least once, trimmed on PUBACK only. Each connection is a new client that begins with what the spool
 * holds; the spool, not the MQTT library, is the memory.
 */
export class Uplink {
  readonly #options: UplinkOptions
  readonly #backOff: BackOff
  #session: Session | undefined
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: UplinkOptions) {
    this.#options = options
    this.#backOff = options.backOff ?? new BackOff()
  }

  start(): void {
    if (this.#stopped) return
    let tls: TlsContent
    try {
      tls = readTls(this.#options.tls ?? {})
    } catch (thrown) {
      if (!isAppError(thrown, 'UPLINK_CERTIFICATE')) throw thrown
      this.#again({ reason: thrown.message, code: thrown.code, gone: false, proved: false })
      return
    }
    const started = performance.now()
    this.#session = new Session(this.#options, tls, (end) => {
      const proved = end.acknowledged || (end.up && performance.now() - started > provedAfterMs)
      this.#again({ ...end, ...this.#certificateWords(end, tls), proved })
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    await this.#session?.close()
  }

  /** A broker that does not take a certificate says so in a word, or cuts the line: what is wrong with our own we can see ourselves. */
  #certificateWords(
    { up, certificate, reason }: SessionEnd,
    content: TlsContent
  ): { readonly reason: string; readonly code?: AppError['code'] } {
    const { tls = {}, clock } = this.#options
    const own = up ? undefined : ownCertificateTrouble(tls, content, clock)
    if (own !== undefined) return { reason: `${own} (${reason})`, code: 'UPLINK_CERTIFICATE' }
    return certificate
      ? { reason: `${reason}: check the certificates of both sides and their clocks`, code: 'UPLINK_CERTIFICATE' }
      : { reason }
  }

  #again({ reason, code, gone, proved }: { reason: string; code?: AppError['code']; gone: boolean; proved: boolean }): void {
    if (this.#stopped) return
    if (proved) this.#backOff.reset()
    const waitMs = this.#backOff.nextMs(gone)
    const { counters, log, spool } = this.#options
    counters.add('uplink.disconnected')
    if (code !== undefined) counters.add(`failed.${code}`)
    log.warn('uplink down', { ...(code === undefined ? {} : { code }), reason, waitMs, waiting: spool.state.messages })
    this.#retry = setTimeout(() => this.start(), waitMs)
  }
}
