import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '@endeks/database/pool'
import { type TestDatabase, testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import type { Test } from 'tap'
import { noKillPoint } from '../../src/kill-points.js'
import { Mirror, type MirrorLimits } from '../../src/mirror/mirror.js'
import type { ReceiverOptions } from '../../src/mirror/receiver.js'
import { noStatistics, type Statistics } from '../../src/statistics.js'
import { enterMeter, enterUtility } from '../support/site.js'

export interface Site {
  readonly database: TestDatabase
  readonly pool: Pool
}

export async function site(t: Test): Promise<Site> {
  const database = await testDatabase(t)
  const pool = database.createPool()
  await enterUtility(pool, ['gw-1'])
  await pool.query(`select metering.ensure_partitions('2026-01-01', '2026-01-01')`)
  // A hypertable's chunk is made by its first row, for which others wait until its transaction ends; it stays when the row goes.
  await pool.query(
    `insert into metering.reading (register_id, at, raw, scaler, status, unit, source) values (0, '2026-01-01Z', 0, 0, 0, 'm3', 'manual')`
  )
  await pool.query('delete from metering.reading')
  return { database, pool }
}

export interface Entered {
  readonly register: bigint
  readonly atMs: bigint
  readonly raw: bigint
  readonly scaler: number
  readonly serial: string
}

let addresses = 0

export async function newRegister(pool: Pool, serial: string): Promise<bigint> {
  addresses += 1
  const { registerId } = await enterMeter(pool, { gateway: 'gw-1', address: `${addresses}`, serial })
  return registerId
}

/** Stores readings as if they had been received a while ago, so that the mirror need not wait for them to settle. */
export async function enter(pool: Pool, readings: readonly Entered[], received = `now() - interval '1 minute'`): Promise<void> {
  await pool.query(
    `insert into metering.reading (register_id, at, raw, scaler, status, unit, source, received_at)
     select r.register_id, timestamptz 'epoch' + r.at_ms * interval '1 millisecond', r.raw, r.scaler, 3, 'm3', 'remote', ${received}
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[]) as r (register_id, at_ms, raw, scaler)`,
    [
      readings.map((each) => each.register),
      readings.map((each) => each.atMs),
      readings.map((each) => each.raw),
      readings.map((each) => each.scaler)
    ]
  )
}

export const quick: Partial<MirrorLimits> = { rows: 50, pollMs: 20, settleMs: 0, firstPauseMs: 20, longestPauseMs: 100 }

export interface RunningMirror {
  readonly mirror: Mirror
  readonly statistics: Statistics
}

export function startMirror(
  t: Test,
  site: Site,
  receiver: Partial<ReceiverOptions> & { url: string },
  limits: Partial<MirrorLimits> = {}
): RunningMirror {
  const statistics = noStatistics()
  const mirror = new Mirror({
    databaseUrl: site.database.adminUrl,
    receiver: { org: 'endeks', bucket: 'endeks', ...receiver },
    clock: systemClock,
    log: createLog('test', () => undefined),
    killPoint: noKillPoint,
    statistics,
    limits: { ...quick, ...limits }
  })
  t.teardown(() => mirror.stop())
  return { mirror, statistics }
}

export async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_200; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}
