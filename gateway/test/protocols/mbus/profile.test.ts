import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { mbusCodec } from '../../../src/protocols/mbus/codec/index.js'

const volume = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }
const problemsOf = (...registers: readonly object[]) => mbusCodec.checkProfile({ name: 'water', protocol: 'mbus', registers })

t.test('current and stored values of one counter, and other counters, go together', (t) => {
  const tariff = { ...volume, obis: '8-0:1.0.1*255', tariff: 1 }
  const backward = { ...volume, obis: '8-0:2.0.0*255', qualifiers: ['backward-only'] }
  t.same(problemsOf(volume, { ...volume, storage: 'stored' }, tariff, backward), [])
  t.end()
})

t.test('registers that overlap or contradict each other are problems', (t) => {
  t.match(problemsOf(volume, { ...volume, obis: '8-0:1.0.9*255' }), [{ path: '/registers/1', message: /same record as \/registers\/0/ }])
  const twice = ['uncorrected', 'backward-only']
  t.match(
    problemsOf({ ...volume, qualifiers: twice }, { ...volume, obis: '8-0:1.0.9*255', qualifiers: twice.toReversed() }),
    [{ message: /same record/ }],
    'in whatever order qualifiers are named'
  )
  t.match(problemsOf(volume, { ...volume, tariff: 1 }), [{ message: /OBIS code of \/registers\/0, so that both/ }])
  t.match(problemsOf(volume, { ...volume, storage: 'stored', tariff: 1 }), [{ message: /different counters/ }])
  t.match(problemsOf(volume, { ...volume, storage: 'stored', obis: '8-0:1.0.9*255' }), [{ message: /another OBIS code/ }])
  t.match(problemsOf({ ...volume, qualifiers: ['uncorrected', 'uncorrected'] }), [{ path: '/registers/0/qualifiers', message: /twice/ }])
  t.match(problemsOf({ ...volume, qualifiers: ['stored-at-fixed-date'] }), [{ message: /never a reading/ }])
  t.match(mbusCodec.checkProfile({}), [{ path: '', message: /not a profile/ }])
  t.end()
})

t.test('the profiles of this gateway have no problems', (t) => {
  const folder = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../profiles')
  for (const name of readdirSync(folder).filter((each) => each.endsWith('.json'))) {
    const profile: unknown = JSON.parse(readFileSync(resolve(folder, name), 'utf8'))
    if (typeof profile === 'object' && profile !== null && 'protocol' in profile && profile.protocol === 'mbus')
      t.same(mbusCodec.checkProfile(profile), [], name)
  }
  t.end()
})
