import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isAppError } from '@endeks/domain/errors'
import t from 'tap'
import { checkSite } from '../src/site/check.js'

const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
const shipped = fileURLToPath(new URL('../../sites/organised-zone.json', import.meta.url))

function start(...words: string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8', timeout: 60_000 })
  return { code: status, said: stdout + stderr }
}

interface Document {
  historyMonths: number
  simulation?: unknown
  points: { tariff: string; participant: string; meters: { bus: string; digits: unknown }[] }[]
  tariffs: { components: { tiers?: { from: string; to?: string }[] }[] }[]
  [name: string]: unknown
}

t.test('a site file is refused with every problem and its path', async (t) => {
  const refused = (change: (document: Document) => void): string => {
    const document = JSON.parse(readFileSync(shipped, 'utf8')) as Document
    change(document)
    try {
      checkSite(document, 'the site', '2026-11-24')
    } catch (thrown) {
      if (isAppError(thrown, 'CONFIG_INVALID')) return thrown.message
      throw thrown
    }
    return ''
  }

  const shape = refused((document) => {
    document['colour'] = 'petrol'
    document.historyMonths = 99
    const meter = document.points[3]?.meters[0]
    if (meter !== undefined) meter.digits = 'nine'
  })
  t.match(shape, /colour/)
  t.match(shape, /\/historyMonths/)
  t.match(shape, /\/points\/3\/meters\/0\/digits/)

  const names = refused((document) => {
    const [first, second, third] = document.points
    if (first !== undefined) first.tariff = 'nothing'
    if (second !== undefined) second.participant = '999'
    if (third?.meters[0] !== undefined) third.meters[0].bus = 'no-bus'
  })
  t.match(names, /\/points\/0\/tariff/)
  t.match(names, /\/points\/1\/participant/)
  t.match(names, /\/points\/2\/meters\/0/)

  const many = refused((document) => {
    for (const point of document.points.slice(0, 20)) point.meters[0] = { ...point.meters[0], colour: 'red' } as never
  })
  t.match(many, /has 20 problems/, 'all of them, not the first few')

  const parts = refused((document) => {
    const [first, second] = document.points
    Object.assign(first?.meters[0] ?? {}, { profile: 'no-such-profile', from: '2026-01-05' })
    Object.assign(second?.meters[0] ?? {}, { address: '999' })
  })
  t.match(parts, /no-such-profile/)
  t.match(parts, /"999" is no mbus address/)

  const facts = refused((document) => {
    Object.assign(document['utility'] as object, { zone: 'Mars/Phobos', taxNumber: '1111111111', receiptSeries: 'END', currency: 'EUR' })
    Object.assign(document.points[4]?.meters[0] ?? {}, { from: '2026-02-31' })
    Object.assign(document.points[5]?.meters[0] ?? {}, { to: '2099-01-01' })
  })
  for (const path of [
    '/utility/zone',
    '/utility/taxNumber',
    '/utility/receiptSeries',
    '/tariffs/0/currency',
    '/points/4/meters/0/from',
    '/points/5/meters/0/to'
  ]) {
    t.match(facts, path)
  }

  const tariff = refused((document) => {
    const tier = document.tariffs[1]?.components[0]?.tiers?.[1]
    if (tier !== undefined) tier.from = '501'
  })
  t.match(tariff, /\/tariffs\/1\/components\/0/)

  const real = refused((document) => {
    delete document.simulation
  })
  t.match(real, /needs host and port/)
  t.match(real, /\/points\/0\/meters\/0\/simulated/)
})

t.test('with a problem in the site file nothing is started', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'endeks-refused-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'site.json')
  writeFileSync(path, '{"colour":"petrol"}')
  const data = join(folder, 'data')
  t.match(start('--site', path, '--data', data), { code: 2, said: /\/utility: is missing[\s\S]*\/colour: is not known here/ })
  t.notOk(existsSync(data), 'no directory is made')
})

t.test('what is no option, no file or no port is said', async (t) => {
  t.match(start('--colour'), { code: 2, said: /colour/ })
  t.match(start('--port', 'eighty'), { code: 2, said: /--port/ })
  t.match(start('--site', '/nowhere/site.json'), { code: 2, said: /\/nowhere\/site.json/ })
})

t.test('a taken port is named with the option that changes it', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const data = mkdtempSync(join(tmpdir(), 'endeks-port-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  t.match(start('--data', data, '--port', String(port)), { code: 1, said: new RegExp(`${port}.*--port`, 's') })
})

t.test('a data directory of another PostgreSQL is refused with both versions', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'endeks-version-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  mkdirSync(join(data, 'database', 'cluster'), { recursive: true })
  writeFileSync(join(data, 'database', 'cluster', 'PG_VERSION'), '15\n')
  t.match(start('--data', data, '--port', '0', '--mqtt-port', '0'), { code: 1, said: /15.*17/s })
})

t.test('a directory that holds other things is left alone', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'endeks-foreign-'))
  t.teardown(() => rmSync(data, { recursive: true, force: true }))
  writeFileSync(join(data, 'letters.txt'), 'mine')
  const { mode } = statSync(data)
  t.match(start('--data', data, '--port', '0', '--mqtt-port', '0'), { code: 2, said: /holds other things/ })
  t.equal(statSync(data).mode, mode)
  t.strictSame(readdirSync(data), ['letters.txt'])
})
