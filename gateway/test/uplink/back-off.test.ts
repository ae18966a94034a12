import t from 'tap'
import { BackOff } from '../../src/uplink/back-off.js'

t.test('the first attempt comes soon, further ones within a range that doubles up to a minute, from the whole of it', (t) => {
  const [shortest, longest] = [new BackOff(undefined, () => 0), new BackOff(undefined, () => 1)]
  t.same(
    Array.from({ length: 8 }, () => shortest.nextMs(false)),
    [0, 0, 0, 0, 0, 0, 0, 0]
  )
  t.same(
    Array.from({ length: 6 }, () => longest.nextMs(false)),
    [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
  )
  longest.reset()
  t.equal(longest.nextMs(false), 5_000)
  t.end()
})

t.test('a thousand gateways whose broker is gone come back over a whole minute, and none of them at once', (t) => {
  let drawn = 0
  const random = (): number => (drawn++ % 1_000) / 1_000
  const gateways = Array.from({ length: 1_000 }, () => new BackOff(undefined, random))
  // Each loses its connection, tries soon, and meets nobody.
  const first = gateways.map((gateway) => gateway.nextMs(false))
  const second = gateways.map((gateway) => gateway.nextMs(true))
  t.ok(Math.max(...first) <= 5_000)
  for (let from = 0; from < 60_000; from += 10_000) {
    const share = second.filter((wait) => wait >= from && wait < from + 10_000).length
    t.ok(share >= 150 && share <= 180, `${share} come back after ${from} ms`)
  }
  t.end()
})
