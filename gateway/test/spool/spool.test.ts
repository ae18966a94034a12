import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createLog } from '@endeks/domain/process'
import type { EpochMs } from '@endeks/domain/time'
import { parseReadings } from '@endeks/domain/wire'
import fc from 'fast-check'
import t from 'tap'
import type { KillPointName } from '../../src/kill-points.js'
import { newReadings } from '../../src/spool/history-mark.js'
import type { Loss } from '../../src/spool/losses.js'
import { type Lane, lanes, type SpooledMessage } from '../../src/spool/message.js'
import { messageLimits, packReadouts } from '../../src/spool/pack.js'
import { Spool } from '../../src/spool/spool.js'
import { readout } from './readouts.js'

const log = createLog('test', () => {})
const none = { profiles: [], marks: [] } as const

async function all(spool: Spool, lane: Lane): Promise<SpooledMessage[]> {
  return spool.range(lane, { first: 1, last: Number.MAX_SAFE_INTEGER, limit: 10_000 })
}

function addresses(message: SpooledMessage | undefined): string[] {
  const parsed = parseReadings(message?.text ?? '')
  if (!parsed.ok) throw parsed.error
  return parsed.value.exchanges.map((each) => each.address)
}

t.test('messages keep lane, order and sequence over a reopening, and a trimmed one is gone', async (t) => {
  const directory = t.testdir()
  const first = await Spool.open({ directory, maxBytes: 10_000_000, log })
  await first.append({ lane: 'live', readouts: [readout('1', 1)], ...none })
  await first.append({ lane: 'backlog', readouts: [readout('2', 1)], ...none })
  await first.append({
    lane: 'live',
    readouts: [readout('3', 1), readout('4', 2)],
    profiles: [{ hash: 'c'.repeat(64), content: '{}' }],
    marks: []
  })
  const [oldest] = await all(first, 'live')
  if (oldest === undefined) return t.fail('nothing was kept')
  await first.trim(oldest)
  await first.trim(oldest)
  const { epoch, state } = first
  await first.close()
  const second = await Spool.open({ directory, maxBytes: 10_000_000, log })
  t.equal(second.epoch, epoch)
  t.same(second.state, { ...state, messages: 2 })
  await second.append({ lane: 'live', readouts: [readout('5', 1)], ...none })
  const live = await all(second, 'live')
  t.same(
    live.map(({ sequence, readings }) => [sequence, readings]),
    [
      [2, 3],
      [3, 1]
    ]
  )
  t.same(addresses(live[0]), ['3', '4'])
  t.same(
    (await all(second, 'backlog')).map(({ sequence }) => sequence),
    [1]
  )
  t.equal(await second.profile('c'.repeat(64)), '{}')
  t.same(await second.range('live', { first: 1, last: 9, limit: 1, newestFirst: true }), live.slice(1))
  t.equal(second.next('live'), 4)
  await second.close()
})

t.test('a spool in use is refused with a code', async (t) => {
  const directory = t.testdir()
  const spool = await Spool.open({ directory, maxBytes: 10_000_000, log })
  await t.rejects(Spool.open({ directory, maxBytes: 10_000_000, log }), { code: 'DATA_DIRECTORY_IN_USE' })
  await spool.close()
})

t.test('over the limit the oldest messages of all lanes are lost, counted and logged', async (t) => {
  const lines: string[] = []
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 3_000, log: createLog('test', (line) => lines.push(line)) })
  for (let index = 0; index < 6; index += 1) {
    await spool.append({ lane: index % 2 === 0 ? 'backlog' : 'live', readouts: [readout(String(index), 1)], ...none })
  }
  const kept = [...(await all(spool, 'live')), ...(await all(spool, 'backlog'))].flatMap(addresses).sort()
  t.ok(kept.length > 1 && kept.length < 6)
  t.same(kept, ['0', '1', '2', '3', '4', '5'].slice(-kept.length))
  t.ok(spool.state.bytes <= 3_000)
  t.same([spool.state.lostMessages, spool.state.lostReadings, spool.state.messages], [6 - kept.length, 6 - kept.length, kept.length])
  await spool.close()
  const told = lines.map((line) => JSON.parse(line) as { code?: string; messages?: number; readings?: number })
  t.same(
    told.filter(({ code }) => code === 'SPOOL_LOST').map(({ messages, readings }) => [messages, readings]),
    [
      [1, 1],
      [6 - kept.length, 6 - kept.length]
    ],
    'told at once and, with the totals, once more'
  )
})

t.test('with a backlog message that is lost its meters are forgotten, also by a conversation that began before', async (t) => {
  const directory = t.testdir()
  const spool = await Spool.open({ directory, maxBytes: 3_000, log })
  const mark = { newest: 1_772_000_000_000 as EpochMs, recent: [] }
  const marks = (...names: string[]) => names.map((address) => ({ bus: 'mbus-1', address, mark }))
  const known = async (...names: string[]) =>
    Promise.all(names.map(async (name) => (await spool.historyMark('mbus-1', name)) !== undefined))
  const fill = async (): Promise<void> => {
    const lost = spool.state.lostMessages
    while (spool.state.lostMessages === lost) await spool.append({ lane: 'live', readouts: [readout('live', 1)], ...none })
  }
  await spool.append({ lane: 'backlog', readouts: [readout('a', 1), readout('b', 1)], profiles: [], marks: marks('a', 'b', 'other') })
  t.same(await known('a', 'b', 'other'), [true, true, true])
  await fill()
  await spool.append({ lane: 'backlog', readouts: [readout('b', 1)], profiles: [], marks: marks('b') })
  t.same(await known('a', 'b', 'other'), [false, false, true], 'what b was asked for began where the lost values end')
  await spool.append({ lane: 'backlog', readouts: [readout('b', 1)], profiles: [], marks: marks('b') })
  await spool.close()
  const again = await Spool.open({ directory, maxBytes: 3_000, log })
  t.same(
    [await again.historyMark('mbus-1', 'a'), await again.historyMark('mbus-1', 'b')],
    [undefined, mark],
    'and once it was asked from the beginning it is known again'
  )
  await again.append({ lane: 'backlog', readouts: [readout('b', 40)], profiles: [], marks: marks('b') })
  t.equal(await again.historyMark('mbus-1', 'b'), undefined, 'a batch that displaces its own meter does not mark it')
  await again.close()
})

t.test('packed messages hold every reading once, in order, with its exchange, within the limits of the wire', async (t) => {
  const shape = fc.array(fc.tuple(fc.integer({ min: 0, max: 2_500 }), fc.integer({ min: 1, max: 12_000 })), { maxLength: 8 })
  fc.assert(
    fc.property(shape, (sizes) => {
      const given = sizes.map(([count, bytes], index) => readout(String(index), count, bytes * 2))
      const { bodies, tooLarge } = packReadouts(given)
      const texts = bodies.map((body) => ({ body, epoch: '00000000', lane: 'live', sequence: Number.MAX_SAFE_INTEGER }))
      const arrived = bodies.flatMap(({ exchanges, readings }) =>
        readings.map((each) => `${exchanges[each.exchange]?.address} ${each.raw}`)
      )
      const expected = given.flatMap(({ exchange, readings }) => readings.map((each) => `${exchange.address} ${each.raw}`))
      return (
        tooLarge.length === 0 &&
        arrived.join() === expected.join() &&
        texts.every(({ body }) => body.readings.length <= messageLimits.readings && wireBytes(body) <= messageLimits.bytes)
      )
    }),
    { numRuns: 30 }
  )
  t.equal(packReadouts([readout('large', 1, 60_000)]).tooLarge.length, 1)
})

function wireBytes(body: ReturnType<typeof packReadouts>['bodies'][number]): number {
  const { readings } = body
  const columns = {
    exchange: readings.map((each) => each.exchange),
    obis: readings.map((each) => each.obis),
    at: readings.map((each) => each.at),
    raw: readings.map((each) => each.raw.toString()),
    scaler: readings.map((each) => each.scaler),
    unit: readings.map((each) => each.unit),
    status: readings.map((each) => each.status)
  }
  const message = {
    v: 1,
    epoch: 'f'.repeat(32),
    lane: 'backlog',
    sequence: Number.MAX_SAFE_INTEGER,
    exchanges: body.exchanges,
    readings: columns
  }
  return Buffer.byteLength(JSON.stringify(message))
}

t.test('of stored values only new ones are delivered, also one filed late by a slow clock', async (t) => {
  const hour = 3_600_000
  const at = (hours: number): number => 1_772_000_000_000 + hours * hour
  const values = (hours: number[]) => hours.map((each) => ({ ...(readout('1', 1).readings[0] ?? never()), at: at(each) as never }))
  const first = newReadings({ mark: undefined, since: at(0) as never, now: at(100) as never, readings: values([-1, 0, 50, 99]) })
  t.same(
    first.readings.map((each) => each.at),
    [at(0), at(50), at(99)]
  )
  const second = newReadings({ mark: first.mark, since: at(0) as never, now: at(101) as never, readings: values([50, 98, 99, 101]) })
  t.same(
    second.readings.map((each) => each.at),
    [at(98), at(101)],
    'not 50: before the overlap or delivered'
  )
  const future = newReadings({ mark: second.mark, since: at(0) as never, now: at(102) as never, readings: values([5_000]) })
  t.equal(future.mark.newest, at(99), 'a value from the future does not hide those before it')
})

function never(): never {
  throw new Error('a readout of one reading has one')
}

t.test('what was appended survives a SIGKILL at every named point, in order, under its epoch and sequence', async (t) => {
  const points: KillPointName[] = ['append.before', 'append.written', 'trim.before', 'trim.written']
  for (const point of points) {
    const directory = t.testdir()
    const said = await writeUntilKilled(directory, point)
    const spool = await Spool.open({ directory, maxBytes: 10_000_000, log })
    t.equal(spool.epoch, said.epoch, point)
    const seen = new Set<string>()
    for (const lane of lanes) {
      const messages = await all(spool, lane)
      const sequences = messages.map(({ sequence }) => sequence)
      const from = sequences[0] ?? 1
      t.same(
        sequences,
        sequences.map((_, index) => from + index),
        `${point}: ${lane} without a gap`
      )
      // Only live messages are trimmed. A trim is not synced: the one under way may be there again.
      const trimmed = lane === 'live' ? said.trims : 0
      t.ok(from - 1 <= trimmed && from - 1 >= trimmed - 1, `${point}: ${lane} lacks what was trimmed and no more`)
      for (const address of messages.flatMap(addresses)) seen.add(address)
    }
    const missing = said.appended.filter((address) => !seen.has(address))
    t.ok(missing.length <= said.trims, `${point}: nothing that was answered for is missing`)
    await spool.append({ lane: 'live', readouts: [readout('after', 1)], ...none })
    t.same(addresses((await all(spool, 'live')).at(-1)), ['after'], `${point}: and it goes on`)
    await spool.close()
  }
})

t.test('what was lost is there or declared, whatever is killed while it is lost or its declaration forgotten', async (t) => {
  for (const point of ['append.before', 'append.written', 'loss.before-forgetting', 'loss.forgotten'] as const) {
    const directory = t.testdir()
    const { appended, forgotten } = await writeUntilKilled(directory, point, { count: point.startsWith('loss') ? 2 : 33, maxBytes: 9_000 })
    const spool = await Spool.open({ directory, maxBytes: 9_000, log })
    const there = new Set(
      [...(await all(spool, 'live')), ...(await all(spool, 'backlog'))].map(({ drawer, sequence }) => `${drawer} ${sequence}`)
    )
    const declared = new Set([...spool.losses, ...forgotten].flatMap(numbersOf))
    // The writer appends to the backlog in rounds 0, 3, 6 and so on, and trims none.
    const numbers = appended
      .map(Number)
      .map((round) => (round % 3 === 0 ? `backlog ${round / 3 + 1}` : `live ${round - Math.floor(round / 3)}`))
    t.same(
      numbers.filter((each) => !there.has(each) && !declared.has(each)),
      [],
      `${point}: no riddle`
    )
    t.ok(declared.size > 0 && ![...there].some((each) => declared.has(each)), `${point}: and nothing that is there is declared lost`)
    t.ok(spool.state.bytes <= 9_000, point)
    await spool.close()
  }
})

function numbersOf({ lane, first, last }: Loss): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `${lane} ${first + index}`)
}

interface Said {
  readonly epoch: string
  readonly appended: string[]
  readonly trims: number
  readonly forgotten: Loss[]
}

async function writeUntilKilled(
  directory: string,
  point: KillPointName,
  { count = point.startsWith('trim') ? 3 : 17, maxBytes = 10_000_000 } = {}
): Promise<Said> {
  const writer = fileURLToPath(new URL('./writer.js', import.meta.url))
  const child = spawn(process.execPath, [writer, directory, point, String(count), String(maxBytes)], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const [, signal] = await once(child, 'close')
  if (signal !== 'SIGKILL') throw new Error(`the writer ended without coming to ${point}`)
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { epoch?: string; appended?: number; trimming?: number; forgetting?: Loss })
  return {
    epoch: lines[0]?.epoch ?? '',
    appended: lines.filter((line) => line.appended !== undefined).map((line) => String(line.appended)),
    trims: lines.filter((line) => line.trimming !== undefined).length,
    forgotten: lines.flatMap((line) => line.forgetting ?? [])
  }
}

t.test('a clock that is set back an hour changes neither the order of messages nor what of the history is known', async (t) => {
  const hour = 3_600_000
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 10_000_000, log })
  const one = readout('a', 1)
  for (const at of [0, 1, 0.5].map((hours) => one.exchange.at + hours * hour))
    await spool.append({ lane: 'live', readouts: [{ ...one, exchange: { ...one.exchange, at } }], ...none })
  const instants = (await all(spool, 'live')).map(({ text }) => (JSON.parse(text) as { exchanges: { at: number }[] }).exchanges[0]?.at)
  t.same(
    instants,
    [0, hour, hour / 2].map((ms) => one.exchange.at + ms),
    'as read, by what the clock said then'
  )
  await spool.close()
  const since = one.exchange.at as EpochMs
  const value = (hours: number) => ({ ...(one.readings[0] ?? never()), at: (since + hours * hour) as EpochMs })
  const before = newReadings({ mark: undefined, since, now: value(10).at, readings: [value(1), value(9), value(10)] })
  const after = newReadings({ mark: before.mark, since, now: value(9).at, readings: [value(1), value(9), value(9.5), value(10)] })
  t.same(after.readings, [value(9.5)], 'only what is new')
  t.equal(after.mark.newest, before.mark.newest, 'and the mark does not run back')
})
