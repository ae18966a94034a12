import t from 'tap'
import { type Drawer, drawers, type SpooledMessage } from '../../src/spool/message.js'
import type { Range } from '../../src/spool/spool.js'
import { NewestFirst } from '../../src/uplink/newest-first.js'
import { Outbox } from '../../src/uplink/outbox.js'

/** What the outbox sees of a spool. */
class Shelf {
  readonly numbers: Record<Drawer, Set<number>> = { live: new Set(), salvaged: new Set(), backlog: new Set() }
  readonly #next = { live: 1, backlog: 1 }

  append(drawer: 'live' | 'backlog', count: number): void {
    for (let left = count; left > 0; left -= 1) this.numbers[drawer].add(this.#next[drawer]++)
  }

  next(lane: 'live' | 'backlog'): number {
    return this.#next[lane]
  }

  async range(drawer: Drawer, { first, last, limit, newestFirst = false }: Range): Promise<SpooledMessage[]> {
    const found = [...this.numbers[drawer]].filter((each) => each >= first && each <= last).sort((left, right) => left - right)
    if (newestFirst) found.reverse()
    return found.slice(0, limit).map((sequence) => ({ drawer, sequence, text: '', readings: 1, profiles: [], bytes: 1 }))
  }
}

const rate = { messagesPerSecond: 100_000, bytesPerSecond: 1_000_000_000 }
const slow = { messagesPerSecond: 1, bytesPerSecond: 1_000 }

t.test('of what had piled up the newest leave first, then the older ones from the oldest, then salvaged and stored values', async (t) => {
  const shelf = new Shelf()
  shelf.append('live', 10)
  shelf.append('backlog', 2)
  shelf.numbers.salvaged.add(1)
  const outbox = new Outbox({ spool: shelf, rate, newestMost: 4 })
  const order: string[] = []
  for (let round = 0; round < 40; round += 1) {
    if (round === 3) shelf.append('live', 2)
    for (const message of await outbox.next(1, 1)) {
      order.push(`${message.drawer} ${message.sequence}`)
      shelf.numbers[message.drawer].delete(message.sequence)
      outbox.acknowledged(message)
    }
  }
  t.same(order, [10, 9, 8, 12, 11, 7, 1, 2, 3, 4, 5, 6].map((each) => `live ${each}`).concat('salvaged 1', 'backlog 1', 'backlog 2'))
  t.equal(outbox.waitMs, undefined, 'nothing is waited for')
})

t.test('live values do not wait while what had piled up has to', async (t) => {
  const shelf = new Shelf()
  shelf.append('live', 50)
  const outbox = new Outbox({ spool: shelf, rate: slow })
  t.same(
    [...(await outbox.next(20, 16)), ...(await outbox.next(20, 16))].map(({ sequence }) => sequence),
    [50, 49]
  )
  t.same(await outbox.next(20, 16), [], 'the pace is used up')
  t.ok((outbox.waitMs ?? 0) > 0)
  shelf.append('live', 3)
  t.same(
    (await outbox.next(20, 0)).map(({ sequence }) => sequence),
    [53, 52, 51],
    'nor do they wait for acknowledgements of old ones'
  )
})

t.test('everything leaves once, whatever is appended meanwhile and however much more than can be held newest first', async (t) => {
  const shelf = new Shelf()
  shelf.append('live', 37)
  shelf.append('backlog', 5)
  const outbox = new Outbox({ spool: shelf, rate, newestMost: 5 })
  const way: SpooledMessage[] = []
  const seen: string[] = []
  for (let round = 0; round < 200; round += 1) {
    if (round < 30) shelf.append('live', round % 7)
    if (round === 10) shelf.append('backlog', 3)
    const messages = await outbox.next(3 - way.length, 2)
    way.push(...messages)
    seen.push(...messages.map(({ drawer, sequence }) => `${drawer} ${sequence}`))
    // The acknowledgement of one in two is late.
    for (const message of way.splice(0, round % 2 === 0 ? 1 : way.length)) {
      shelf.numbers[message.drawer].delete(message.sequence)
      outbox.acknowledged(message)
    }
  }
  t.equal(new Set(seen).size, seen.length, 'none twice')
  t.same(
    drawers.flatMap((drawer) => [...shelf.numbers[drawer]]),
    [],
    'none left'
  )
  t.equal(seen.length, shelf.next('live') - 1 + shelf.next('backlog') - 1)
})

t.test('numbers that are too many fall back from the lowest on', (t) => {
  const newest = new NewestFirst(5)
  t.equal(newest.add({ first: 1, last: 4 }), 0)
  newest.handedOut(3)
  t.equal(newest.add({ first: 5, last: 7 }), 0)
  t.same(newest.next, { first: 5, last: 7 })
  t.equal(newest.add({ first: 8, last: 10 }), 5, 'what was not handed out of the oldest')
  t.same(newest.next, { first: 6, last: 10 })
  t.equal(newest.add({ first: 11, last: 10 }), 0, 'nothing')
  t.end()
})
