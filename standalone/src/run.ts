import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ensureUser } from '@endeks/billing-api/service'
import { type EmbeddedServer, startEmbedded } from '@endeks/database/embedded'
import { ensureDatabase, migrate, serviceRoles, setServicePasswords } from '@endeks/database/migrate'
import { createPool, type Pool } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { configInvalid, createLog, loadJsonFile } from '@endeks/domain/process'
import { billingMonth, billingMonths, type Clock, toIso } from '@endeks/domain/time'
import type { Arguments } from './arguments.js'
import { billClosedMonths } from './bill.js'
import { type ApiClient, signIn } from './client.js'
import { prepareDirectory } from './directory.js'
import { typeExchangeIndexes } from './exchange.js'
import { refuseTakenPort } from './ports.js'
import { awaitPredecessor, forgetProcesses, recordProcesses } from './predecessor.js'
import type { Progress } from './progress.js'
import { keepSecrets, type Secrets, writePrivately } from './secrets.js'
import { checkSite } from './site/check.js'
import { type DatedSite, gatewayFileOf, importOf, passwordOf, simulatedSiteOf } from './site/project.js'
import { historyProgress, pendingValidation } from './store.js'
import { createSupervisor, type Ready, type Supervisor } from './supervise.js'

export interface Settings {
  readonly arguments: Arguments
  readonly adminPassword: string | undefined
  readonly databaseUrl: string | undefined
  /** environment that every service is given */
  readonly inherited: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly progress: Progress
  readonly killPoint: (name: string) => void
  /** true when a named kill point is set: a child that dies there takes everything along */
  readonly dieWithChildren: boolean
  /** gives up a start under way */
  readonly signal: AbortSignal
  /** told when a service can't be kept running */
  readonly onLost: (error: AppError) => void
}

/** What is running, and how to stop it. */
export interface Running {
  readonly addresses: Addresses
  stop(): Promise<void>
}

export interface Addresses {
  readonly web: string
  readonly api: string
  readonly docs: string
  readonly mqtt: string
  readonly database: string
  /** where each service tells how it is: /health, /ready, /metrics */
  readonly operations: Readonly<Record<string, string>>
  readonly admin: { readonly login: string; readonly password: string }
}

const adminLogin = 'admin'
const databaseName = 'endeks'
/** Stored values that have not arrived this long after the last one did are not waited for: the runs will list them. */
const historyPatienceMs = 60_000
/** Processes started side by side; more would only wait for each other's cores. */
const startedTogether = 4

/** Starts everything, in the order in which one thing needs another. What was started is stopped again when a later step fails. */
export async function start(settings: Settings): Promise<Running> {
  const { data, site: siteFile, port, mqttPort } = settings.arguments
  const today = toIso(settings.clock.now()).slice(0, 10)
  const site = checkSite(loadJsonFile(siteFile), siteFile, today)
  prepareDirectory(data)
  await awaitPredecessor(data, () => settings.progress.step('waiting for what an earlier start left to end'))
  if (port !== 0 && port === mqttPort)
    throw configInvalid('the command line', [{ path: '--mqtt-port', message: `is ${port}, as --port is` }])
  await refuseTakenPort(port, '--port')
  await refuseTakenPort(mqttPort, '--mqtt-port')
  recordProcesses(data, [process.pid])
  const dated = { site, startedOn: startOf(data, site.historyMonths, site.utility.zone, settings.clock) }
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).toReversed()) await each()
    forgetProcesses(data)
  }
  try {
    const addresses = await startAll(settings, dated, stops)
    writePrivately(join(data, 'ready.json'), `${JSON.stringify(addresses, undefined, 2)}\n`)
    stops.push(async () => rmSync(join(data, 'ready.json'), { force: true }))
    return { addresses, stop }
  } catch (thrown) {
    await stop()
    throw thrown
  }
}

async function startAll(settings: Settings, dated: DatedSite, stops: (() => Promise<void>)[]): Promise<Addresses> {
  const { progress, clock } = settings
  const { data } = settings.arguments
  const { site } = dated
  const database = await startDatabase(settings, stops)
  const secrets = keepSecrets(data, {
    roles: serviceRoles,
    gateways: site.gateways.map((gateway) => gateway.id),
    given: settings.adminPassword
  })
  const pool = await prepareDatabase(database.adminUrl, secrets)
  stops.push(async () => await pool.end())
  progress.step(`database: ${database.what}, schema up to date`)

  const supervisor = createSupervisor({
    logFile: join(data, 'services.log'),
    inherited: { ...settings.inherited, ENDEKS_OPERATIONS_PORT: '0' },
    onLost: settings.onLost,
    onStarted: (pids) => recordProcesses(data, [process.pid, ...pids]),
    dieWithChildren: settings.dieWithChildren
  })
  stops.push(async () => await supervisor.stop())
  const ports = await startServices(supervisor, settings, secrets.meterKeys, (role) => database.url(role, secrets.roles[role] ?? ''))
  const api = `http://127.0.0.1:${ports.api}/api`
  settings.signal.throwIfAborted()
  progress.step('ingest, rating and API run')

  const client = await signIn(api, { login: adminLogin, password: secrets.admin })
  const passwords = new Map(Object.entries(secrets.gateways))
  await client.put('/site', importOf(dated, passwords))
  await typeExchangeIndexes(client, dated)
  progress.step(`site: ${site.participants.length} participants, ${site.points.length} service points`)
  await startMeters(supervisor, { settings, dated, passwords, keySecret: secrets.meterKeys, mqttUrl: `mqtt://127.0.0.1:${ports.mqtt}` })
  settings.signal.throwIfAborted()
  settings.killPoint('standalone:meters')
  if (site.simulation?.billClosedMonths === true) await catchUp({ client, pool, dated, settings, clock })
  return {
    web: `http://127.0.0.1:${ports.api}/`,
    api,
    docs: `http://127.0.0.1:${ports.api}/docs`,
    mqtt: `mqtt://127.0.0.1:${ports.mqtt}`,
    database: database.adminUrl,
    operations: supervisor.operations(),
    admin: { login: adminLogin, password: secrets.admin }
  }
}

/** The first day of the history: of the first start, kept, as the past of a simulated site must not move with the calendar. */
function startOf(data: string, months: number, zone: string, clock: Clock): string {
  const path = join(data, 'started-on')
  if (existsSync(path)) return readFileSync(path, 'utf8').trim()
  const first = billingMonths(months, clock.now(), zone)[0]
  if (first === undefined) throw new AppError('INTERNAL', 'a history has at least a month')
  const day = first.toPlainDate({ day: 1 }).toString()
  writePrivately(path, `${day}\n`)
  return day
}

interface Database {
  readonly adminUrl: string
  readonly what: string
  url(role: string, password: string): string
}

async function startDatabase({ databaseUrl, arguments: given, onLost }: Settings, stops: (() => Promise<void>)[]): Promise<Database> {
  if (databaseUrl !== undefined) {
    return { adminUrl: databaseUrl, what: 'the server of DATABASE_URL', url: (role, password) => withLogin(databaseUrl, role, password) }
  }
  const server: EmbeddedServer = await startEmbedded({
    directory: join(given.data, 'database'),
    log: createLog('database', () => undefined)
  })
  let stopping = false
  stops.push(async () => {
    stopping = true
    await server.stop()
  })
  server.closed.then(() => {
    if (!stopping)
      onLost(new AppError('DATABASE_START', `PostgreSQL has ended by itself: see ${join(given.data, 'database')}; start again to go on`))
  })
  const adminUrl = await ensureDatabase(server.adminUrl(), databaseName)
  return { adminUrl, what: 'embedded PostgreSQL', url: (role, password) => server.url(role, password, databaseName) }
}

function withLogin(url: string, role: string, password: string): string {
  const parsed = new URL(url)
  parsed.username = role
  parsed.password = password
  return parsed.toString()
}

async function prepareDatabase(adminUrl: string, secrets: Secrets): Promise<Pool> {
  await migrate(adminUrl)
  await setServicePasswords(adminUrl, secrets.roles)
  const pool = createPool({ url: adminUrl, max: 2, applicationName: 'endeks standalone' })
  await ensureUser(pool, { login: adminLogin, name: 'Yönetici', role: 'admin', password: secrets.admin })
  return pool
}

const mainOf = (workspace: string): string => fileURLToPath(new URL(`../../../${workspace}/dist/src/main.js`, import.meta.url))

async function startServices(
  supervisor: Supervisor,
  { arguments: given }: Settings,
  keySecret: string,
  urlOf: (role: 'endeks_ingest' | 'endeks_rating' | 'endeks_api') => string
): Promise<{ api: number; mqtt: number }> {
  const port = (ready: Ready, service: string): number => {
    if (typeof ready['port'] === 'number') return ready['port']
    throw new AppError('CHILD_FAILED', `${service} said no port`)
  }
  const [ingest, , api] = await Promise.all([
    supervisor.start({
      name: 'ingest',
      main: mainOf('ingest'),
      args: ['run'],
      environment: { ENDEKS_DATABASE_URL: urlOf('endeks_ingest'), ENDEKS_MQTT_PORT: String(given.mqttPort) }
    }),
    supervisor.start({
      name: 'rating',
      main: mainOf('rating'),
      args: ['run'],
      environment: { ENDEKS_DATABASE_URL: urlOf('endeks_rating') }
    }),
    supervisor.start({
      name: 'billing-api',
      main: mainOf('billing-api'),
      args: ['run'],
      environment: {
        ENDEKS_DATABASE_URL: urlOf('endeks_api'),
        ENDEKS_API_PORT: String(given.port),
        ENDEKS_KEY_SECRET: keySecret,
        ENDEKS_WEB_ROOT: fileURLToPath(new URL('../../../dashboards/dist/web', import.meta.url))
      }
    })
  ])
  return { api: port(api, 'billing-api'), mqtt: port(ingest, 'ingest') }
}

interface Meters {
  readonly settings: Settings
  readonly dated: DatedSite
  readonly passwords: ReadonlyMap<string, string>
  readonly keySecret: string
  readonly mqttUrl: string
}

/** Puts simulated meters on their ports, where the site has such, and starts a process for each gateway. */
async function startMeters(supervisor: Supervisor, { settings, dated, passwords, keySecret, mqttUrl }: Meters): Promise<void> {
  const { data } = settings.arguments
  const { site } = dated
  let ports = new Map<string, number>()
  if (site.simulation !== undefined) {
    const path = join(data, 'simulated-site.json')
    writeFileSync(path, `${JSON.stringify(simulatedSiteOf(dated), undefined, 2)}\n`)
    const ready = await supervisor.start({ name: 'firmware-sim', main: mainOf('firmware-sim'), args: ['run', path], environment: {} })
    ports = new Map(Object.entries(ready['ports'] as Record<string, number>))
    settings.progress.step(`simulated meters: ${site.points.reduce((sum, point) => sum + point.meters.length, 0)} on ${ports.size} buses`)
  }
  await inTurns(site.gateways, startedTogether, async (gateway) => {
    const path = join(data, `gateway-${gateway.id}.json`)
    writeFileSync(path, `${JSON.stringify(gatewayFileOf(dated, gateway, { mqttUrl, ports }), undefined, 2)}\n`)
    await supervisor.start({
      name: `gateway ${gateway.id}`,
      main: mainOf('gateway'),
      args: ['run', path],
      environment: {
        ENDEKS_SPOOL: join(data, `spool-${gateway.id}`),
        ENDEKS_KEY_SECRET: keySecret,
        ENDEKS_MQTT_PASSWORD: passwordOf(passwords, gateway.id)
      }
    })
  })
  settings.progress.step(`${site.gateways.length} gateways poll`)
}

/** Does `work` for all, `most` at a time. */
async function inTurns<Item>(items: readonly Item[], most: number, work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items]
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: most }, worker))
}

interface CatchUp {
  readonly client: ApiClient
  readonly pool: Pool
  readonly dated: DatedSite
  readonly settings: Settings
  readonly clock: Clock
}

/** Waits for the stored values of the closed months, then bills the months in order. */
async function catchUp({ client, pool, dated, settings, clock }: CatchUp): Promise<void> {
  const { zone } = dated.site.utility
  const { progress, killPoint } = settings
  const months = billingMonths(dated.site.historyMonths, clock.now(), zone)
  const ends = months.map((month) => toIso(billingMonth(month, zone).to))
  let last = { done: -1, at: performance.now() }
  for (;;) {
    const { done, total } = await historyProgress(pool, ends)
    settings.signal.throwIfAborted()
    progress.count('month-end indexes', done, total)
    if (done > 0 && done < total) killPoint('standalone:history')
    if (done > last.done) last = { done, at: performance.now() }
    if (done === total && (await pendingValidation(pool)) === 0) break
    if (performance.now() - last.at > historyPatienceMs) {
      progress.step(`${total - done} month-end indexes do not come: their subscriptions will be listed as not billed`)
      break
    }
    await sleep(200)
  }
  await billClosedMonths({
    api: client,
    months: months.map((month) => month.toString()),
    onProgress: (month, done, total) => progress.count(`bills ${month}`, done, total),
    killPoint,
    signal: settings.signal
  })
}
