import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import { gatewayId } from '@endeks/domain/identifiers'
import t from 'tap'
import { noteSequences } from '../../src/store/sequences.js'

// Goal: no number that was stored is shown as missing, whoever notes numbers of the same lane at the same time. Method: two
// transactions on a real database, one held open until the other waits for it.

const pool = (await testDatabase(t)).createPool()

function numbers(first: number, last: number) {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    ...{ gateway: gatewayId('gw-1'), epoch: '0a1b2c3d', lane: 'live' },
    sequence: first + index
  }))
}

async function note(first: number, last: number): Promise<void> {
  const client = await pool.connect()
  await noteSequences(client, numbers(first, last)).finally(() => client.release())
}

t.test('a range that another process joins to the one before it meanwhile still grows at its end', async (t) => {
  await note(1, 5)
  await note(20, 30)
  const joining = await pool.connect()
  await joining.query('begin')
  await noteSequences(joining, numbers(6, 19))
  const growing = note(31, 35)
  await untilSomebodyWaits()
  await joining.query('commit')
  joining.release()
  await growing
  t.same((await pool.query('select first, last from metering.sequence_gap')).rows, [])
  await note(36, 36)
  t.same((await pool.query('select first, last from metering.sequence_range')).rows.length, 2, 'they overlap')
  await note(25, 25)
  t.same((await pool.query('select first, last from metering.sequence_gap')).rows, [])
})

async function untilSomebodyWaits(): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const { rows } = await pool.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)
    if (rows.length > 0) return
    await sleep(10)
  }
  throw new Error('nobody waits for a range')
}
