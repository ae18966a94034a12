import { asError } from '@endeks/domain/errors'
import type { Log, RunningProcess } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { Subscription } from 'rxjs'
import { Acquisition } from './acquire/acquisition.js'
import { Counters } from './acquire/counters.js'
import type { GatewaySite } from './config/check.js'
import type { GatewayEnvironment } from './config/environment.js'
import { Executor } from './downlink/executor.js'
import { Inbox } from './downlink/inbox.js'
import { countersPath, DiskCounters } from './keys/counters.js'
import type { KeyRing } from './keys/ring.js'
import { type KillPoint, noKillPoint } from './kill-points.js'
import type { Bus, MeterKeys } from './protocols/protocol.js'
import { schedule } from './schedule/schedule.js'
import { Spool } from './spool/spool.js'
import { BackOff } from './uplink/back-off.js'
import { Uplink } from './uplink/uplink.js'

export { type KillPointName, killPoints } from './kill-points.js'

export interface GatewayOptions {
  readonly site: GatewaySite
  readonly environment: GatewayEnvironment
  /** the key ring that the site was checked against; undefined: no meter of the site has a key */
  readonly keys?: Pick<KeyRing, 'keysOf'> | undefined
  readonly log: Log
  readonly clock: Clock
  /** called when nothing more can be kept: the spool failed */
  readonly onFatal: (error: Error) => void
  readonly killPoint?: KillPoint
}

export interface RunningGateway extends RunningProcess {
  /** what happened since the start, by name, and what waits now */
  state(): { readonly counts: Readonly<Record<string, number>>; readonly spool: Spool['state']; readonly connected: boolean }
}

const reportEveryMs = 60_000

/** The gateway's parts, put together: schedule, acquisition, spool, commands, uplink. */
export async function startGateway(options: GatewayOptions): Promise<RunningGateway> {
  const { site, environment, log, clock, killPoint = noKillPoint } = options
  const counters = new Counters()
  const keys = openedKeys(options)
  const counterStore = await DiskCounters.open(countersPath(environment.keys ?? `${environment.spool}-keys`))
  const spool = await Spool.open({ directory: environment.spool, maxBytes: site.spoolMaxBytes, log, killPoint, onFailure: options.onFatal })
  const acquisition = new Acquisition({ spool, log, clock, counters, zone: site.zone, keysOf: (name) => keys.get(name) })
  const buses = new Map<string, Bus>(
    site.buses.map((bus) => [
      bus.name,
      bus.protocol.open(bus.options, { clock, answerWithinMs: bus.answerWithinMs, counters: counterStore })
    ])
  )
  const inbox = await Inbox.open({ directory: `${environment.spool}-commands`, clock, log, killPoint })
  const keysOf = (name: string): MeterKeys | undefined => keys.get(name)
  const executor = inbox && new Executor({ inbox, buses, sites: site.buses, acquisition, keysOf, zone: site.zone, clock, log, counters })
  const uplink = new Uplink({
    gateway: site.gateway,
    url: site.mqttUrl,
    password: environment.password,
    ...(site.tls === undefined ? {} : { tls: site.tls }),
    replay: site.replay,
    backOff: new BackOff(site.reconnect),
    spool,
    log,
    counters,
    clock,
    killPoint,
    ...(inbox === undefined ? {} : { commands: inbox })
  })
  executor?.start()
  uplink.start()
  const polls: Subscription = schedule(site.buses, {
    clock,
    zone: site.zone,
    poll: async (busSite, poll) => {
      const bus = buses.get(busSite.name)
      return bus === undefined ? false : acquisition.poll({ bus, site: busSite, ...poll })
    }
  }).subscribe({ error: (thrown: unknown) => options.onFatal(asError(thrown)) })
  const report = setInterval(() => log.info('counts', { ...counters.snapshot(), spool: spool.state }), reportEveryMs)
  log.info('gateway runs', {
    gateway: site.gateway,
    epoch: spool.epoch,
    buses: site.buses.length,
    meters: site.buses.reduce((sum, bus) => sum + bus.meters.length, 0),
    spooled: spool.state.messages
  })
  return {
    state: () => ({
      counts: counters.snapshot(),
      spool: spool.state,
      connected: counters.latest('uplink.connected', 'uplink.disconnected') === 'uplink.connected'
    }),
    async stop() {
      clearInterval(report)
      polls.unsubscribe()
      await executor?.stop()
      await Promise.all([...buses.values()].map((bus) => bus.close()))
      await uplink.stop()
      await inbox?.close()
      await spool.close()
      await counterStore.close()
      log.info('counts', { ...counters.snapshot(), spool: spool.state })
    }
  }
}

/** Opened once: a meter is read every minute, and a ring that does not open is to be known at the start. */
function openedKeys({ site, keys }: GatewayOptions): ReadonlyMap<string, MeterKeys | undefined> {
  const names = site.buses.flatMap((bus) => bus.meters.flatMap((meter) => meter.key ?? []))
  return new Map(names.map((name) => [name, keys?.keysOf(name)]))
}
