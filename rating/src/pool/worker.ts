import { createPool, type Pool } from '@endeks/database/pool'
import { killPointAt } from '@endeks/domain/process'
import { workerData } from 'piscina'
import { rateShard } from '../run/rate-shard.js'
import type { WorkerData } from './pool.js'

const data = workerData as WorkerData
const killPoint = killPointAt(data.killAt)
let pool: Pool | undefined

/** Claims and rates shards of a run until none is left. Piscina calls it; it must be the file's default export. */
export default async function rateShards(runId: string): Promise<void> {
  pool ??= createPool({ url: data.databaseUrl, role: data.role, max: 1, applicationName: 'endeks rating worker' })
  while (await rateShard({ pool, killPoint }, BigInt(runId))) {}
}
