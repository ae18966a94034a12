import t from 'tap'
import { type Loss, lossOperations, withLost, withoutAnnounced } from '../../src/spool/losses.js'

const loss = (first: number, last: number, readings: number, lane: Loss['lane'] = 'live'): Loss => ({
  epoch: 'aaaaaaaa',
  lane,
  first,
  last,
  readings
})

function lose(losses: readonly Loss[], sequence: number, readings: number, lane: Loss['lane'] = 'live'): Loss[] {
  return withLost(losses, { epoch: 'aaaaaaaa', lane, sequence, readings })
}

t.test('neighbours become one range, and what was delivered between two is not declared lost', (t) => {
  const numbers: [sequence: number, readings: number, lane: Loss['lane']][] = [
    [1, 2, 'live'],
    [1, 5, 'backlog'],
    [2, 3, 'live'],
    [4, 1, 'live'],
    [2, 5, 'backlog']
  ]
  const losses = numbers.reduce<Loss[]>((all, [sequence, readings, lane]) => lose(all, sequence, readings, lane), [])
  t.same(losses, [loss(1, 2, 5), loss(1, 2, 10, 'backlog'), loss(4, 4, 1)])
  t.end()
})

t.test('a range that grew while it was announced keeps what came to it', (t) => {
  const announced = loss(1, 3, 30)
  const grown = lose([announced, loss(1, 1, 1, 'backlog')], 4, 7)
  t.same(withoutAnnounced(grown, announced), [loss(4, 4, 7), loss(1, 1, 1, 'backlog')])
  t.same(withoutAnnounced([announced], announced), [])
  t.end()
})

t.test('the disk is made to hold what is held, and no more is written than differs', (t) => {
  const before = [loss(1, 3, 30), loss(1, 1, 1, 'backlog')]
  const after = withoutAnnounced(lose(before, 4, 7), loss(1, 3, 30))
  const kept = new Map(lossOperations([], before).map((each) => [each.key, each.type === 'put' ? each.value : '']))
  const changes = lossOperations(before, after)
  for (const each of changes) {
    if (each.type === 'put') kept.set(each.key, each.value)
    else kept.delete(each.key)
  }
  t.same(
    [...kept.values()].map((value) => JSON.parse(value)).sort((left, right) => left.first - right.first),
    [after[1], after[0]]
  )
  t.equal(changes.length, 2)
  t.end()
})

t.test('ranges are bounded: beyond a thousand one takes in what lies between', (t) => {
  let losses: Loss[] = []
  for (let index = 0; index < 1_500; index += 1) losses = lose(losses, 1 + index * 2, 1)
  t.equal(losses.length, 1_000)
  t.same(losses.at(-1), loss(1_999, 2_999, 501))
  t.equal(
    losses.reduce((sum, each) => sum + each.readings, 0),
    1_500
  )
  t.end()
})
