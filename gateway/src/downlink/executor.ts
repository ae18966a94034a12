import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { type DeviceIdentity, formatIdentity } from '@endeks/domain/metering'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { type AckMessage, type CommandMessage, isDeclared } from '@endeks/domain/wire'
import type { Acquisition, PollReport } from '../acquire/acquisition.js'
import type { Counters } from '../acquire/counters.js'
import type { SiteBus, SiteMeter } from '../config/check.js'
import type { Bus, MeterCommand, MeterKeys } from '../protocols/protocol.js'
import { Turns } from '../protocols/turns.js'
import type { Inbox } from './inbox.js'
import type { KeptCommand } from './kept-command.js'

export interface ExecutorOptions {
  readonly inbox: Inbox
  readonly buses: ReadonlyMap<string, Bus>
  readonly sites: readonly SiteBus[]
  readonly acquisition: Acquisition
  readonly keysOf: (name: string) => MeterKeys | undefined
  readonly zone: string
  readonly clock: Clock
  readonly log: Log
  readonly counters: Counters
}

type Outcome = Pick<AckMessage, 'state' | 'code' | 'message' | 'result'>

interface Place {
  readonly bus: Bus
  readonly site: SiteBus
  readonly meter: SiteMeter
}

/** Further off than this, the gateway's own clock must not be given to a meter. */
const mostClockOffMs = 60_000

/**
 * Does what was commanded, between the polls of its bus: one command after the other on each bus, buses side by side. What is
 * not repeatable is begun at most once, and only on the meter that it is meant for.
 */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #stopping = new AbortController()
  readonly #turns = new Map<string, Turns>()

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  start(): void {
    this.#options.inbox.deliverTo((command) => void this.#turnsOf(command.message.bus).take(() => this.#execute(command)))
  }

  /** Begins nothing more; what is under way is called off. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#turns.values()].map((turns) => turns.over()))
  }

  #turnsOf(bus: string): Turns {
    const known = this.#options.buses.has(bus) ? bus : ''
    const turns = this.#turns.get(known) ?? new Turns()
    this.#turns.set(known, turns)
    return turns
  }

  async #execute(command: KeptCommand): Promise<void> {
    const { inbox, log, counters } = this.#options
    const { id, kind, bus, address, requestedBy } = command.message
    if (this.#stopping.signal.aborted) return
    const outcome = await this.#outcomeOf(command).catch((thrown: unknown): Outcome => {
      const error = asError(thrown)
      log.error('bug in a command', { id, kind, error, stack: error.stack })
      return { state: command.state === 'started' ? 'failed' : 'rejected', code: 'INTERNAL', message: error.message }
    })
    // What was called off by a stop is decided when the gateway is there again.
    if (this.#stopping.signal.aborted && outcome.state !== 'done') return
    counters.add(`commands.${outcome.state}`)
    log.info('command', { id, kind, bus, address, requestedBy, ...outcome })
    await inbox.finish(command, outcome)
  }

  async #outcomeOf(command: KeptCommand): Promise<Outcome> {
    const { message } = command
    const { bus: busName, address, kind } = message
    const overdue = this.#overdue(command)
    if (overdue !== undefined) return overdue
    const site = this.#options.sites.find((each) => each.name === busName)
    const meter = site?.meters.find((each) => each.address === address)
    const bus = this.#options.buses.get(busName)
    if (site === undefined || meter === undefined || bus === undefined)
      return rejected('PLACE_NOT_CONNECTED', `the site file of this gateway has no meter ${address} on a bus ${busName}`)
    const place = { bus, site, meter }
    if (message.kind === 'read-now') return this.#readNow(place)
    const { name: protocol } = site.protocol.codec
    if (!isDeclared(kind, { protocol, profile: meter.profile.value }))
      return rejected('COMMAND_UNSUPPORTED', `profile ${meter.profile.name} declares no ${kind}, and ${protocol} has no standard one`)
    if (kind === 'set-clock' && Math.abs(command.clockAheadMs) > mostClockOffMs)
      return rejected('GATEWAY_CLOCK_WRONG', `${clockInWords(command)}; a meter is not given that time`)
    const foreign = kind === 'set-clock' ? undefined : await this.#refuseForeign(place, message)
    return foreign ?? this.#tell(command, place, message)
  }

  async #readNow(place: Place): Promise<Outcome> {
    const report = await this.#poll(place)
    if ('readings' in report) return { state: 'done', result: { readings: report.readings, device: formatIdentity(report.identity) } }
    return { state: 'failed', code: report.code, message: report.message }
  }

  /** A valve or a credit is for the meter that was meant. Another one may have been mounted since, at the same address. */
  async #refuseForeign(place: Place, { device }: CommandMessage): Promise<Outcome | undefined> {
    if (device === undefined) return undefined
    const report = await this.#poll(place)
    if (!('readings' in report))
      return rejected(report.code, `the meter was told nothing, as it could not be asked who it is: ${report.message}`)
    const { identity } = report
    if (isDevice(identity, device)) return undefined
    return rejected('OTHER_DEVICE', `it is meant for ${formatIdentity(device)}, and ${formatIdentity(identity)} answers there`)
  }

  async #poll({ bus, site, meter }: Place): Promise<PollReport> {
    let report: PollReport = { code: 'READ_ABORTED', message: 'the read was called off' }
    const poll = { bus, site, meter, kind: 'current', doubtful: false, signal: this.#stopping.signal } as const
    await this.#options.acquisition.poll({ ...poll, report: (each) => (report = each) })
    return report
  }

  async #tell(command: KeptCommand, { bus, meter }: Place, message: Exclude<CommandMessage, { kind: 'read-now' }>): Promise<Outcome> {
    const { zone, keysOf, inbox } = this.#options
    const keys = meter.key === undefined ? undefined : keysOf(meter.key)
    try {
      return await bus.tell({
        address: meter.address,
        profile: meter.profile.value,
        zone,
        command: commandOf(message),
        ...(keys === undefined ? {} : { keys }),
        signal: this.#stopping.signal,
        begin: async () => {
          // Right before: the bus may have been busy for long.
          const overdue = this.#overdue(command)
          if (overdue !== undefined) throw new AppError('COMMAND_EXPIRED', overdue.message ?? '')
          await inbox.start(command).catch((thrown: unknown) => {
            throw new AppError('COMMAND_FAILED', `that it begins could not be written down: ${asError(thrown).message}`, {}, thrown)
          })
        }
      })
    } catch (thrown) {
      if (isAppError(thrown) && command.state !== 'started') return rejected(thrown.code, thrown.message)
      throw thrown
    }
  }

  #overdue(command: KeptCommand): Outcome | undefined {
    if (this.#options.clock.now() < command.expiresAt) return undefined
    return rejected('COMMAND_EXPIRED', `its deadline was over before it could begin; when it came, ${clockInWords(command)}`)
  }
}

function rejected(code: string, message: string): Outcome {
  return { state: 'rejected', code, message }
}

function clockInWords({ clockAheadMs }: KeptCommand): string {
  const seconds = Math.round(Math.abs(clockAheadMs) / 1_000)
  return `the clock of the gateway was ${seconds} s ${clockAheadMs < 0 ? 'behind' : 'ahead of'} that of the sender`
}

/** As whoever stores readings decides it: numbers as they are printed, and the maker where the device names one. */
function isDevice(identity: DeviceIdentity, device: NonNullable<CommandMessage['device']>): boolean {
  const sameMaker =
    identity.manufacturer === undefined || device.manufacturer === undefined || identity.manufacturer === device.manufacturer
  return identity.id === device.id && sameMaker
}

function commandOf(message: Exclude<CommandMessage, { kind: 'read-now' }>): MeterCommand {
  if (message.kind === 'valve') return { kind: 'valve', position: message.parameters.position }
  if (message.kind === 'credit') return { kind: 'credit', ...message.parameters }
  return { kind: 'set-clock' }
}
