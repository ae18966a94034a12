import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureUser, startApi } from '@endeks/billing-api/service'
import type { Pool } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import { createLog, type RunningProcess, systemClock } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { type SimulatedSite, startSite } from '@endeks/firmware-sim/site'
import { checkGatewaySite, loadProfiles, shippedProfiles } from '@endeks/gateway/config'
import { startGateway } from '@endeks/gateway/service'
import { startIngest } from '@endeks/ingest/service'
import { startRating } from '@endeks/rating/service'
import type { Test } from 'tap'
import { type ApiClient, signIn } from '../src/client.js'
import { type DatedSite, gatewayFileOf, importOf, simulatedSiteOf } from '../src/site/project.js'

const quiet = createLog('test', (line) => {
  if (process.env['SHOW'] !== undefined) process.stderr.write(line)
})
export const password = 'correct horse battery'
export const gatewayPassword = 'a-password-of-a-test-gateway'

/** The whole way in one process: simulated meters, gateways, broker, ingest, rating, API, each on a free port. */
export interface Way {
  readonly api: ApiClient
  readonly url: string
  readonly admin: Pool
  readonly mqttPort: number
  /** of the database, as its owner */
  readonly databaseUrl: string
}

/**
 * Starts every part for a site and takes the site in; everything is stopped when the test is over.
 *
 * @param meterClock what the simulated meters go by
 * @param simulate what they have beside what the site says of them
 * @param unread true where the test itself speaks for the gateways: no meter is simulated and no gateway of ours started
 */
export async function startWay(
  t: Pick<Test, 'teardown'>,
  dated: DatedSite,
  {
    webRoot,
    meterClock = systemClock,
    simulate = (site) => site,
    unread = false
  }: {
    readonly webRoot?: string
    readonly meterClock?: Clock
    readonly simulate?: (site: SimulatedSite) => SimulatedSite
    readonly unread?: boolean
  } = {}
): Promise<Way> {
  const database = await testDatabase(t)
  const admin = database.createPool()
  const url = database.adminUrl
  const running: RunningProcess[] = []
  const directory = mkdtempSync(join(tmpdir(), 'endeks-way-'))
  t.teardown(async () => {
    for (const each of running.toReversed()) await each.stop()
    rmSync(directory, { recursive: true, force: true })
  })
  const ingest = await startIngest({ databaseUrl: url, mqttHost: '127.0.0.1', mqttPort: 0, clock: systemClock, log: quiet })
  running.push(ingest)
  running.push(await startRating({ databaseUrl: url, clock: systemClock, log: quiet, workers: 1, shardSize: 100 }))
  await ensureUser(admin, { login: 'admin', name: 'Yönetici', role: 'admin', password })
  const api = await startApi({
    databaseUrl: url,
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: quiet,
    ...(webRoot === undefined ? {} : { webRoot })
  })
  running.push(api)
  const base = `http://127.0.0.1:${api.port}/api`
  const client = await signIn(base, { login: 'admin', password })
  const passwords = new Map(dated.site.gateways.map((gateway) => [gateway.id, gatewayPassword]))
  await client.put('/site', importOf(dated, passwords))
  const way = { api: client, url: base, admin, mqttPort: ingest.port, databaseUrl: url }
  if (unread) return way
  const simulated = await startSite(simulate(simulatedSiteOf(dated)), meterClock)
  running.push(simulated)
  const mqttUrl = `mqtt://127.0.0.1:${ingest.port}`
  for (const gateway of dated.site.gateways) {
    const site = checkGatewaySite(gatewayFileOf(dated, gateway, { mqttUrl, ports: simulated.ports }), loadProfiles([shippedProfiles]))
    const environment = { spool: join(directory, gateway.id), password: gatewayPassword }
    const onFatal = (error: Error): void => {
      throw error
    }
    running.push(await startGateway({ site, environment, log: quiet, clock: systemClock, onFatal }))
  }
  return way
}

/** Looks until `look` finds something; a bound keeps a broken way from hanging the suite. */
export async function until<Found>(what: string, look: () => Promise<Found | undefined>): Promise<Found> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const found = await look()
    if (found !== undefined) return found
    await sleep(100)
  }
  throw new Error(`${what} does not come`)
}
