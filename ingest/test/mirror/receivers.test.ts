import { fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { type KillPointName, killPoints } from '../../src/kill-points.js'
import { tagText } from '../../src/mirror/line.js'
import { start } from '../support/site.js'
import { influxd, type Point, type Program, readInflux, readVictoria, victoriaMetrics } from './programs.js'
import { enter, newRegister, type Site, site, startMirror, until } from './support.js'

// Goal: what two receivers hold that are not ours is what the database holds, row by row, whatever dies meanwhile.
// Method: Debian's VictoriaMetrics by the client as it is, and its InfluxDB 1.6 by another path, each read back whole by its own
// query interface and compared with the readings of the database.

const path = '/write?db=endeks'
const serials = [
  '00123',
  'a b',
  'a,b=c',
  'a\\',
  'a\\b',
  'a\\ b',
  'a\\\\',
  '100%',
  '%5C',
  'x\ny',
  'tab\tx',
  '"q" \'q\'',
  'ğİ 😀',
  '\\=',
  ' ',
  '#'
]

/** A meter for each serial, with readings that have many digits. */
async function enterAll(site: Site): Promise<void> {
  for (const [index, serial] of serials.entries()) {
    const register = await newRegister(site.pool, serial)
    await enter(
      site.pool,
      Array.from({ length: 20 }, (_, n) => ({
        ...{ register, serial },
        atMs: BigInt(start) + BigInt(n * 900_000 + index),
        raw: BigInt(n) * 123_456_789n + BigInt(index),
        scaler: (n % 5) - 3
      }))
    )
  }
}

async function readDatabase({ pool }: Site): Promise<Point[]> {
  const { rows } = await pool.query<{
    register: string
    obis: string
    serial: string
    medium: string
    unit: string
    at_ms: string
    raw: string
    value: string
    status: string
  }>(
    `select r.register_id::text as register, g.obis, m.serial, m.medium, r.unit, floor(extract(epoch from r.at) * 1000)::text as at_ms, r.raw::text as raw,
       (r.raw * 10::numeric ^ r.scaler)::text as value, r.status::text as status
     from metering.reading r join account.register g on g.id = r.register_id join account.meter m on m.id = g.meter_id`
  )
  return rows.map(({ at_ms: atMs, raw, value, status, serial, ...tags }) => ({
    tags: { ...tags, serial: tagText(serial) },
    ...{ atMs, raw, status },
    value: Number(value)
  }))
}

const keyOf = (point: { readonly tags: Point['tags']; readonly atMs: string }): string =>
  JSON.stringify([point.atMs, ...['register', 'obis', 'serial', 'medium', 'unit'].map((name) => point.tags[name])])

function byKey<Value extends { readonly tags: Point['tags']; readonly atMs: string }>(points: readonly Value[]): Map<string, Value> {
  return new Map([...points].map((point) => [keyOf(point), point] as const).sort(([a], [b]) => (a < b ? -1 : 1)))
}

async function compareInflux(t: Test, site: Site, program: Program): Promise<void> {
  const [expected, found] = [byKey(await readDatabase(site)), byKey(await readInflux(program))]
  t.same([...found.keys()], [...expected.keys()])
  const values = ({ raw, value, status }: Point) => ({ raw, value, status })
  t.same([...found.values()].map(values), [...expected.values()].map(values))
}

async function compareVictoria(t: Test, site: Site, program: Program): Promise<void> {
  const expected = byKey(await readDatabase(site))
  for (const field of ['raw', 'value', 'status'] as const) {
    const found = byKey(await readVictoria(program, field))
    t.same([...found.keys()], [...expected.keys()], field)
    t.same(
      [...found.values()].map((point) => point.number),
      [...expected.values()].map((point) => Number(point[field])),
      field
    )
  }
}

t.test('VictoriaMetrics and InfluxDB 1.6 hold what the database holds, late readings too', async (t) => {
  const one = await site(t)
  await enterAll(one)
  const [victoria, influx] = await Promise.all([victoriaMetrics(t), influxd(t)])
  const first = startMirror(t, one, { url: victoria.url })
  const second = startMirror(t, one, { url: influx.url, path })
  const all = serials.length * 20
  const mirrored = (n: number) => until(() => first.statistics.mirrorReadings >= n && second.statistics.mirrorReadings >= n)
  await mirrored(all)
  const register = await newRegister(one.pool, 'late')
  await enter(one.pool, [{ register, serial: 'late', atMs: BigInt(start), raw: 2n ** 53n - 1n, scaler: 0 }], 'now()')
  await mirrored(all + 1)
  await compareVictoria(t, one, victoria)
  const widest = { register, serial: 'late', atMs: BigInt(start) + 1n, raw: 2n ** 63n - 1n, scaler: 0 }
  await enter(one.pool, [widest, { ...widest, atMs: widest.atMs + 1n, raw: 2n ** 53n + 1n }], 'now()')
  await mirrored(all + 3)
  await compareInflux(t, one, influx)
  t.same([first.statistics.mirrorRefused, second.statistics.mirrorRefused], [0, 0])
  t.ok(first.mirror.lagMs() < 60_000)

  t.test('a receiver that is killed and comes back lacks nothing', async (t) => {
    await influx.stop()
    await enter(
      one.pool,
      Array.from({ length: 200 }, (_, n) => ({ ...widest, atMs: widest.atMs + 100n + BigInt(n) })),
      'now()'
    )
    await until(() => second.statistics.mirrorFailures > 0)
    await influx.start()
    await mirrored(all + 203)
    await compareInflux(t, one, influx)
  })
})

t.test('whatever point the mirror dies at, the receiver has every reading in the end', async (t) => {
  const one = await site(t)
  const influx = await influxd(t)
  const run = async (killAt: KillPointName | undefined): Promise<unknown[]> => {
    const settings = {
      ENDEKS_DATABASE_URL: one.database.adminUrl,
      ENDEKS_MQTT_PORT: '0',
      ENDEKS_MIRROR_URL: influx.url,
      ENDEKS_MIRROR_PATH: path,
      ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt })
    }
    const child = fork(new URL('../../src/main.js', import.meta.url), ['run'], {
      env: { ...process.env, ...settings },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc']
    })
    t.teardown(() => child.kill('SIGKILL'))
    const exited = once(child, 'exit')
    if (killAt !== undefined) return exited
    await once(child, 'message')
    const { rows } = await one.pool.query<{ n: bigint }>('select count(*) as n from metering.reading')
    await until(async () => BigInt((await readInflux(influx)).length) === rows[0]?.n)
    child.kill('SIGTERM')
    return exited
  }
  const register = await newRegister(one.pool, 'killed')
  for (const [round, name] of killPoints.filter((each) => each.startsWith('mirror:')).entries()) {
    const atMs = BigInt(start + round * 1_000_000)
    await enter(
      one.pool,
      Array.from({ length: 30 }, (_, n) => ({ register, serial: 'killed', atMs: atMs + BigInt(n), raw: 7n, scaler: 0 }))
    )
    t.same(await run(name), [null, 'SIGKILL'], name)
  }
  t.same(await run(undefined), [0, null], 'and it stops when it is told to')
  await compareInflux(t, one, influx)
})
