import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { AppError } from '@endeks/domain/errors'
import type { RunningProcess } from '@endeks/domain/process'
import { checkSimulatedSite, startSite } from '@endeks/firmware-sim/site'
import { Database } from './database.js'
import { DeviceTime } from './device-time.js'
import { type ChaosMeter, gatewaySite, gateways, MeterTime, meters, simulatedSite } from './meters.js'
import { Receiver } from './receiver.js'
import { enterLate, enterSite, password } from './registry.js'
import { Service } from './service.js'
import { SmallDisk } from './small-disk.js'
import { Witness } from './witness.js'

type PartName = 'time' | 'database' | 'witness' | 'ingest' | 'gateways' | 'spoolDisk' | 'databaseDisk' | 'receiver' | 'deviceTime'
type Parts = Pick<World, PartName> & { readonly meters: RunningProcess }

/** Everything that a reading passes, from the meter to the table, each part of which may fail. */
export class World {
  readonly time: MeterTime
  readonly database: Database
  readonly witness: Witness
  readonly ingest: Service
  readonly gateways: readonly Service[]
  /** where the first gateway's spool lies, and where the database; undefined where this account may not mount */
  readonly spoolDisk: SmallDisk | undefined
  readonly databaseDisk: SmallDisk | undefined
  /** what the readings are mirrored to */
  readonly receiver: Receiver
  /** what the first gateway takes for the time */
  readonly deviceTime: DeviceTime
  readonly #meters: RunningProcess
  readonly #late: ChaosMeter[] = meters.filter((meter) => meter.late)

  private constructor(parts: Parts) {
    this.time = parts.time
    this.database = parts.database
    this.witness = parts.witness
    this.ingest = parts.ingest
    this.gateways = parts.gateways
    this.spoolDisk = parts.spoolDisk
    this.databaseDisk = parts.databaseDisk
    this.deviceTime = parts.deviceTime
    this.receiver = parts.receiver
    this.#meters = parts.meters
  }

  static async start(directory: string, runMs: number): Promise<World> {
    const time = new MeterTime(runMs)
    const databaseDisk = diskIn(directory, 'database-disk', 700)
    const spoolDisk = diskIn(directory, 'spool-disk', 64)
    const deviceTime = new DeviceTime(directory)
    const database = await Database.start(databaseDisk?.path ?? directory)
    await enterSite(database.pool)
    const simulated = await startSite(checkSimulatedSite(simulatedSite(time), 'the simulated site'), time)
    const witness = new Witness()
    const mqttPort = await witness.listen()
    const receiver = await Receiver.start(directory, await freePort())
    const ingest = new Service({
      ...{ name: 'ingest', workspace: 'ingest', args: ['run'], log: join(directory, 'ingest.log') },
      environment: { ENDEKS_DATABASE_URL: database.url, ENDEKS_MQTT_PORT: '0', ENDEKS_MIRROR_URL: receiver.url }
    })
    const services = gateways.map((name, ordinal) => {
      const home = join(ordinal === 0 ? (spoolDisk?.path ?? directory) : directory, name)
      mkdirSync(home)
      const site = join(home, 'site.json')
      writeFileSync(site, JSON.stringify(gatewaySite(name, time, { mqttPort, ports: simulated.ports })))
      const environment = {
        ...(ordinal === 0 ? deviceTime.environment : {}),
        ENDEKS_SPOOL: join(home, 'spool'),
        ENDEKS_MQTT_PASSWORD: password
      }
      return new Service({ name, workspace: 'gateway', args: ['run', site], environment, log: join(directory, `${name}.log`) })
    })
    const world = new World({
      ...{ time, database, witness, ingest, spoolDisk, databaseDisk, receiver, deviceTime },
      gateways: services,
      meters: simulated
    })
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
    await this.receiver.stop()
    await this.database.stop()
    this.spoolDisk?.unmount()
    this.databaseDisk?.unmount()
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  if (address === null || typeof address === 'string') throw new Error('there is no free port')
  return address.port
}

function diskIn(directory: string, name: string, megabytes: number): SmallDisk | undefined {
  return process.getuid?.() === 0 ? new SmallDisk(join(directory, name), megabytes) : undefined
}
