import { join } from 'node:path'
import { toIso } from '@endeks/domain/time'
import pg from 'pg'
import { processorTimeOfTree } from '../support/accounting.js'
import type { Cluster } from '../support/cluster.js'
import { type Load, rawInSql, registers, site, tickMs } from '../support/load.js'

/** Rows of a load as files that the server can read, in the order in which a load's messages bring them. */
export interface RowFiles {
  readonly paths: readonly string[]
  /** repeated ones included */
  readonly rows: number
}

export interface Limit {
  readonly rowsPerSecond: number
  readonly serverMicrosecondsPerRow: number
}

const columns = 'register_id, at, raw, exchange_id, exchange_day, status, scaler, unit, source'

/**
 * Writes a load's rows into one file a connection, each with the registers of its share of the gateways.
 *
 * @param repeats whether each hundredth register comes twice
 */
export async function writeRows(
  cluster: Cluster,
  options: { readonly load: Load; readonly firstRegister: bigint; readonly connections: number; readonly repeats: boolean }
): Promise<RowFiles> {
  const { load, firstRegister, connections } = options
  const width = Math.min(500, site.registersPerGateway)
  const times = options.repeats ? 'case when register % 100 = 0 then 2 else 1 end' : '1'
  const gateway = `register / ${site.registersPerGateway}`
  const place = `register % ${site.registersPerGateway}`
  const paths: string[] = []
  let rows = 0
  for (let connection = 0; connection < connections; connection += 1) {
    const path = join(cluster.directory, 'files', `rows-${connection}`)
    const { rowCount } = await cluster.pool.query(
      `copy (select ${firstRegister} + register, timestamptz '${toIso(load.start)}' + tick * ${tickMs} * interval '1 millisecond', ${rawInSql},
         1 + (tick * ${registers} + register) / ${site.registersPerMeter}, current_date, 0, -3, 'm3', 'remote'
       from generate_series(${load.firstTick}, ${load.firstTick + load.ticks - 1}) as tick, generate_series(0, ${registers - 1}) as register,
         generate_series(1, ${times}) as time
       where ${gateway} % ${connections} = ${connection}
       order by tick, ${place} / ${width}, ${gateway}, register) to '${path}'`
    )
    paths.push(path)
    rows += rowCount ?? 0
  }
  return { paths, rows }
}

/** The least that storing rows once costs: COPY into a temporary table, then INSERT of those that are not there yet. */
export async function copyAndInsert(cluster: Cluster, files: RowFiles): Promise<Limit> {
  return measured(cluster, files, async (client, path) => {
    await client.query('begin')
    await client.query(`create temporary table arrived on commit drop as select ${columns} from metering.reading with no data`)
    await client.query(`copy arrived (${columns}) from '${path}'`)
    await client.query(`insert into metering.reading (${columns}) select ${columns} from arrived on conflict do nothing`)
    await client.query('commit')
  })
}

/** The least that storing rows costs when all are known to be new. */
export async function copyPlain(cluster: Cluster, files: RowFiles): Promise<Limit> {
  return measured(cluster, files, async (client, path) => {
    await client.query(`copy metering.reading (${columns}) from '${path}'`)
  })
}

async function measured(cluster: Cluster, files: RowFiles, work: (client: pg.Client, path: string) => Promise<void>): Promise<Limit> {
  const clients = files.paths.map(() => new pg.Client({ connectionString: cluster.url }))
  try {
    await Promise.all(clients.map((client) => client.connect()))
    const processor = processorTimeOfTree(cluster.pid)
    const started = performance.now()
    await Promise.all(clients.map((client, index) => work(client, files.paths[index] ?? '')))
    const seconds = (performance.now() - started) / 1_000
    const microseconds = processorTimeOfTree(cluster.pid) - processor
    return { rowsPerSecond: files.rows / seconds, serverMicrosecondsPerRow: microseconds / files.rows }
  } finally {
    await Promise.all(clients.map((client) => client.end()))
  }
}
