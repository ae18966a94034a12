import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPool } from '@endeks/database/pool'
import t from 'tap'
import { processesOf, startProduct } from './product.js'
import { smallSites } from './small-site.js'

// Goal: the start command may be killed at any moment; the next start leaves no orphan, loses nothing and doubles nothing.
// Method: it is killed with everything it started at named points, started again over the same directory, and the books of the
// result are read from the database.

const months = 2
/** while the history is loaded, between check and issue, during issue */
const points = ['accept:before-commit', 'standalone:checked', 'issue:documents']

interface Books {
  readonly invoices: number
  readonly first: bigint
  readonly last: bigint
  readonly balance: bigint
  readonly bills: number
  readonly doubled: number
  readonly boundaries: number
}

async function books(databaseUrl: string): Promise<Books | undefined> {
  const pool = createPool({ url: databaseUrl, max: 1, applicationName: 'test' })
  try {
    const { rows } = await pool.query<Books>(`
      SELECT (SELECT count(*)::integer FROM ledger.document) AS invoices, (SELECT min(number) FROM ledger.document) AS first,
        (SELECT max(number) FROM ledger.document) AS last, (SELECT sum(amount_micro)::bigint FROM ledger.posting) AS balance,
        (SELECT count(*)::integer FROM rating.bill) AS bills,
        (SELECT count(*)::integer FROM (SELECT FROM rating.bill GROUP BY subscription_id, from_at HAVING count(*) > 1) d) AS doubled,
        (SELECT count(*)::integer FROM metering.reading r WHERE r.at IN (SELECT from_at FROM rating.bill UNION SELECT to_at FROM rating.bill)) AS boundaries`)
    return rows[0]
  } finally {
    await pool.end()
  }
}

for (const point of points) {
  t.test(`killed at ${point}`, async (t) => {
    const data = mkdtempSync(join(tmpdir(), 'endeks-kill-'))
    const site = join(data, '..', `${data.split('/').at(-1)}-site.json`)
    const { document, meters } = smallSites(months)
    writeFileSync(site, JSON.stringify(document))
    t.teardown(() => {
      rmSync(data, { recursive: true, force: true })
      rmSync(site, { force: true })
    })
    const first = startProduct(data, { site, killAt: point })
    t.teardown(() => first.process.kill('SIGINT'))
    t.equal(await first.ended(), 'SIGKILL', 'it died there')

    const second = startProduct(data, { site })
    const { database, operations } = await second.ready()
    const states = await Promise.all(Object.entries(operations).map(async ([name, url]) => [name, (await fetch(`${url}/ready`)).status]))
    t.strictSame(new Set(states.map(([, status]) => status)), new Set([200]), 'every service says that it is ready')
    t.ok(['ingest', 'rating', 'billing-api'].every((name) => name in operations))
    const found = await books(database)
    const invoices = meters * months
    t.match(found, {
      invoices,
      first: 1n,
      last: BigInt(invoices),
      balance: 0n,
      bills: invoices,
      doubled: 0,
      boundaries: meters * (months + 1)
    })
    t.equal(await second.stop(), 0)
    for (let tries = 0; tries < 50 && processesOf(data).length > 0; tries += 1) await sleep(100)
    t.strictSame(processesOf(data), [], 'nothing is left running')
  })
}
