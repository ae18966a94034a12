import { AppError, asError, isAppError } from '@endeks/domain/errors'
import type { RunningProcess } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { isLineFault, LineFaults } from '../faults/index.js'
import type { BusServer } from '../meters/bus-server.js'
import { simulatedProtocols } from '../meters/index.js'
import { simulatedMeter } from './meter.js'
import type { SimulatedBusEntry, SimulatedSite } from './schema.js'

export interface RunningSite extends RunningProcess {
  /** where each bus listens, by its name */
  readonly ports: ReadonlyMap<string, number>
}

const loopback = '127.0.0.1'

/** Puts every bus of a checked site on its port. Nothing stays open when one of them can't be. */
export async function startSite(site: SimulatedSite, clock: Clock): Promise<RunningSite> {
  const servers = new Map<string, BusServer>()
  const stop = async (): Promise<void> => {
    await Promise.all([...servers.values()].map((server) => server.close()))
  }
  try {
    for (const bus of site.buses) {
      const start = simulatedProtocols.get(bus.protocol)?.start
      if (start === undefined) throw new AppError('CONFIG_INVALID', `protocol "${bus.protocol}" can't be simulated`)
      const meters = bus.meters.map((entry) => simulatedMeter(entry, site.zone, clock, site.seed))
      const options = { ...bus, host: bus.host ?? loopback, meters, line: { faults: lineFaults(bus, site.seed), clock } }
      servers.set(bus.name, await started(bus, () => start(options)))
    }
  } catch (thrown) {
    await stop()
    throw thrown
  }
  return { ports: new Map([...servers].map(([name, server]) => [name, server.port])), stop }
}

/** Names the bus in what its server says: a taken port, or a meter that the protocol cannot express. */
async function started(bus: SimulatedBusEntry, start: () => Promise<BusServer>): Promise<BusServer> {
  try {
    return await start()
  } catch (thrown) {
    if (isAppError(thrown)) throw thrown
    const error = asError(thrown)
    if ('code' in error && error.code === 'EADDRINUSE') {
      throw new AppError(
        'PORT_TAKEN',
        `${bus.host ?? loopback}:${bus.port} is in use: change "port" of bus ${bus.name}`,
        { bus: bus.name },
        error
      )
    }
    throw new AppError('CONFIG_INVALID', `bus ${bus.name}: ${error.message}`, { bus: bus.name }, error)
  }
}

function lineFaults(bus: SimulatedBusEntry, seed = 0): LineFaults {
  return new LineFaults({
    seed,
    bus: bus.faults ?? [],
    meters: new Map(bus.meters.map(({ address, faults = [] }) => [address, faults.filter(isLineFault)]))
  })
}
