import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { UnitHealth } from '../../../src/protocols/modbus/unit-health.js'

t.test('a unit that stays silent is left alone, also under a clock that is set back for no longer than that', (t) => {
  let now = 1_000_000_000
  const health = new UnitHealth({ now: () => epochMs(now) })
  health.silent(5, 0)
  t.equal(health.leftAlone(5), undefined, 'one silence may be the line')
  health.silent(5, 0)
  t.same(health.leftAlone(5), { waitMs: 1_000, silences: 2 })
  now -= 500_000_000
  t.equal(health.leftAlone(5), undefined)
  health.silent(5, 0)
  t.same(health.leftAlone(5), { waitMs: 2_000, silences: 3 })
  health.heard(5)
  t.equal(health.leftAlone(5), undefined)
  t.end()
})
