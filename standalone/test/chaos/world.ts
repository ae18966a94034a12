import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import type { RunningProcess } from '@endeks/domain/process'
import { checkSimulatedSite, startSite } from '@endeks/firmware-sim/site'
import { Database } from './database.js'
import { type ChaosMeter, gatewaySite, gateways, MeterTime, meters, simulatedSite } from './meters.js'
import { enterLate, enterSite, password } from './registry.js'
import { Service } from './service.js'
import { Witness } from './witness.js'

/** Everything that a reading passes, from the meter to the table, each part of which may fail. */
export class World {
  readonly time: MeterTime
  readonly database: Database
  readonly witness: Witness
  readonly ingest: Service
  readonly gateways: readonly Service[]
  readonly #meters: RunningProcess
  readonly #late: ChaosMeter[] = meters.filter((meter) => meter.late)

  private constructor(parts: Pick<World, 'time' | 'database' | 'witness' | 'ingest' | 'gateways'> & { readonly meters: RunningProcess }) {
    this.time = parts.time
    this.database = parts.database
    this.witness = parts.witness
    this.ingest = parts.ingest
    this.gateways = parts.gateways
    this.#meters = parts.meters
  }

  static async start(directory: string, runMs: number): Promise<World> {
    const time = new MeterTime(runMs)
    const database = await Database.start(directory)
    await enterSite(database.pool)
    const simulated = await startSite(checkSimulatedSite(simulatedSite(time), 'the simulated site'), time)
    const witness = new Witness()
    const mqttPort = await witness.listen()
    const ingest = new Service({
      ...{ name: 'ingest', workspace: 'ingest', args: ['run'], log: join(directory, 'ingest.log') },
      environment: { ENDEKS_DATABASE_URL: database.url, ENDEKS_MQTT_PORT: '0' }
    })
    const services = gateways.map((name) => {
      const home = join(directory, name)
      mkdirSync(home)
      const site = join(home, 'site.json')
      writeFileSync(site, JSON.stringify(gatewaySite(name, time, { mqttPort, ports: simulated.ports })))
      const environment = { ENDEKS_SPOOL: join(home, 'spool'), ENDEKS_MQTT_PASSWORD: password }
      return new Service({ name, workspace: 'gateway', args: ['run', site], environment, log: join(directory, `${name}.log`) })
    })
    const world = new World({ ...{ time, database, witness, ingest }, gateways: services, meters: simulated })
    await world.startIngest()
    for (const gateway of services) await world.startGateway(gateway)
    return world
  }

  /** @param killAt where it is to die; it may do so before it is ready */
  async startIngest(killAt?: string): Promise<void> {
    const ready = await this.ingest.start(killAt)
    if (ready === undefined && killAt === undefined) throw new AppError('CHILD_FAILED', 'ingest does not start: see ingest.log')
    const port = ready?.['port']
    if (typeof port === 'number') this.witness.target = port
  }

  async startGateway(gateway: Service, killAt?: string): Promise<void> {
    const ready = await gateway.start(killAt)
    if (ready === undefined && killAt === undefined) throw new AppError('CHILD_FAILED', `${gateway.name} does not start: see its log`)
  }

  /** A meter that was read before anybody entered it is entered. @returns false when there is none left */
  async enterOneLate(): Promise<boolean> {
    const meter = this.#late.shift()
    if (meter === undefined) return false
    await enterLate(this.database.pool, meter)
    return true
  }

  async stop(): Promise<void> {
    for (const gateway of this.gateways) await gateway.stop()
    await this.ingest.stop()
    this.witness.close()
    await this.#meters.stop()
    await this.database.stop()
  }
}
