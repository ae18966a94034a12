import { AppError, asError, isAppError } from '@endeks/domain/errors'
import type { RunningProcess } from '@endeks/domain/process'
import type { Clock, EpochMs } from '@endeks/domain/time'
import { indexFunction } from '../load-shapes/index.js'
import type { BusServer } from '../meters/bus-server.js'
import { busServers } from '../meters/index.js'
import type { SimulatedMeter } from '../meters/meter.js'
import { momentOf } from './moment.js'
import type { SimulatedMeterEntry, SimulatedSite } from './schema.js'

export interface RunningSite extends RunningProcess {
  /** where each bus listens, by its name */
  readonly ports: ReadonlyMap<string, number>
}

/** Puts every bus of a checked site on its port. Nothing stays open when one of them can't be. */
export async function startSite(site: SimulatedSite, clock: Clock): Promise<RunningSite> {
  const servers = new Map<string, BusServer>()
  const stop = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.close()))
  }
  try {
    for (const bus of site.buses) {
      const start = busServers.get(bus.protocol)
      if (start === undefined) throw new AppError('CONFIG_INVALID', `protocol "${bus.protocol}" can't be simulated`)
      const meters = bus.meters.map((entry) => simulatedMeter(entry, site.zone, clock))
      servers.set(bus.name, await started(bus, () => start({ host: bus.host, port: bus.port, meters })))
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
  return { ports: new Map([...servers].map(([name, server]) => [name, server.port])), stop }
}

/** Names the bus in what its server says: a taken port, or a meter that the protocol cannot express. */
async function started(bus: SimulatedSite['buses'][number], start: () => Promise<BusServer>): Promise<BusServer> {
  try {
    return await start()
  } catch (thrown) {
    if (isAppError(thrown)) throw thrown
    const error = asError(thrown)
    if ('code' in error && error.code === 'EADDRINUSE') {
      throw new AppError('PORT_TAKEN', `${bus.host}:${bus.port} is in use: change "port" of bus ${bus.name}`, { bus: bus.name }, error)
    }
    throw new AppError('CONFIG_INVALID', `bus ${bus.name}: ${error.message}`, { bus: bus.name }, error)
  }
}

/** The meter that an entry describes. */
export function simulatedMeter(entry: SimulatedMeterEntry, zone: string, clock: Clock): SimulatedMeter {
  const startedAt = required(entry.startedAt, zone)
  const stoppedAt = entry.stoppedAt === undefined ? undefined : required(entry.stoppedAt, zone)
  return {
    address: entry.address,
    identity: { id: entry.serial, manufacturer: entry.manufacturer, version: entry.version, medium: entry.medium },
    medium: entry.medium,
    indexAt: indexFunction({
      shape: entry.shape,
      startedAt,
      ...(stoppedAt === undefined ? {} : { stoppedAt }),
      initialIndex: BigInt(entry.initialIndex),
      digits: entry.digits,
      zone
    }),
    scaler: entry.scaler,
    unit: entry.unit ?? (entry.medium === 'heat' ? 'kWh' : 'm3'),
    digits: entry.digits,
    startedAt,
    clock,
    zone
  }
}

function required(text: string, zone: string): EpochMs {
  const moment = momentOf(text, zone)
  if (moment === undefined) throw new AppError('CONFIG_INVALID', `"${text}" is no instant or date`)
  return moment
}
