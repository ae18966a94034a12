import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { testDatabase } from '@endeks/database/testing'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { ClusterGateway } from './support/cluster-gateway.js'
import { ClusterState } from './support/cluster-state.js'
import type { NatsNode } from './support/nats.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start } from './support/site.js'
import { connectToNats, type IngestProcess, jetStreamSource } from './support/sources.js'
import { ask, type DownlinkState, HearingGateway, stateOf } from './support/told.js'

// Goal: with three nodes and two ingest processes, one of each can be killed at any moment and nothing acknowledged is lost.
// Method: gateways publish with QoS 1 and note what was acknowledged; in the middle of it the node that leads the stream and an
// ingest process get SIGKILL. Afterwards every acknowledged message is looked for. The next round begins when no node is behind any
// more. One short round by itself; `npm run test:cluster -- --rounds 20 --messages 2000` for as long as one likes. No part of
// `npm test`: most of it is waiting for leaders to be elected.

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '1' }, messages: { type: 'string', default: '60' } },
  strict: false
})
const rounds = Number(values.rounds)
const messages = Number(values.messages)
const readingsEach = 10
const gateways = ['gw-1', 'gw-2', 'gw-3', 'gw-4']

t.setTimeout(120_000 + rounds * 60_000)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, gateways)
for (const gateway of gateways) await enterMeter(pool, { gateway, address: '1', serial: gateway })
const cluster = await jetStreamSource(t, database.adminUrl, gateways, 3)
const state = await ClusterState.connect(cluster.nats)
t.teardown(() => state.close())
const processes: IngestProcess[] = [await startIngest(), await startIngest()]

async function startIngest(): Promise<IngestProcess> {
  const started = await cluster.startIngest()
  if (started.port === undefined) throw new Error('an ingest process ended before it took messages')
  return started
}

let told = 0
/** New messages of a gateway's one meter, an hour between readings. */
function messagesOf(gateway: string, round: number): Map<number, string> {
  return new Map(
    Array.from({ length: messages }, (_, index) => {
      const sequence = round * messages + index + 1
      const values = Array.from({ length: readingsEach }, (_, each) => {
        const at = sequence * readingsEach + each
        return [epochMs(start + (at * hour) / 60), BigInt(at)] as const
      })
      told += 1
      return [sequence, readingsMessage(sequence, [{ address: '1', serial: gateway, values }], { epoch: '0c0c0c0c' })] as const
    })
  )
}

for (let round = 0; round < rounds; round += 1) {
  t.test(`round ${round + 1}: the leader and an ingest are killed, and what was acknowledged is there`, async (t) => {
    const senders = gateways.map((gateway, index) => new ClusterGateway(cluster.nats, gateway, index))
    const sending = Promise.all(senders.map((sender) => sender.deliver(messagesOf(sender.name, round))))
    await until(async () => acknowledgedBy(senders) > (gateways.length * messages) / 3)
    const before = acknowledgedBy(senders)
    const leader = await state.leader()
    const victim = processes.shift()
    victim?.child.kill('SIGKILL')
    await Promise.all([cluster.nats.killNode(leader), victim?.exited])
    await sending
    const acknowledged = acknowledgedBy(senders)
    t.equal(acknowledged, gateways.length * messages, 'gateways go on at the other nodes until all of it is acknowledged')
    await untilOrTell(async () => (await count(pool, 'reading')) >= told * readingsEach)
    for (const sender of senders) {
      const { rows } = await pool.query<{ n: bigint }>(
        `select distinct n from metering.sequence_range, generate_series(first, last) n where gateway_id = $1`,
        [sender.name]
      )
      const stored = new Set(rows.map((row) => Number(row.n)))
      t.same(
        [...sender.acknowledged].filter((sequence) => !stored.has(sequence)),
        [],
        `what ${sender.name} was told is stored`
      )
    }
    t.equal(await count(pool, 'exchange'), told, 'once')
    t.equal(await count(pool, 'reading_conflict'), 0)
    t.equal(await count(pool, 'dead_letter'), 0)
    const pause = Math.max(...senders.map((sender) => sender.longestPauseMs))
    const again = senders.reduce((sum, sender) => sum + sender.sentAgain, 0)
    t.comment(
      `${leader.name}, which led the stream, and one of two ingest processes killed after ${before} of ${acknowledged} acknowledgements; ${again} messages were published again; longest pause between a gateway's acknowledgements ${pause.toFixed(0)} ms; lost 0, twice 0`
    )
    await cluster.nats.startNode(leader)
    if (round + 1 < rounds) processes.push(await startIngest())
    // The next one's death would be the second of three.
    await state.whole()
    for (const { child } of processes) t.equal(child.exitCode, null, 'and the other ingest process runs on')
    t.match(await readNow(leader), { state: 'done', effect: 'done' }, 'and a gateway at the node that came back hears and answers')
  })
}

t.test('nothing stays in the stream, though a process died between an acknowledgement and the removal', async (t) => {
  await untilOrTell(async () => (await state.messages()) === 0)
  t.equal(await count(pool, 'exchange'), told, 'and what was taken once more for it is there once')
  t.equal(await count(pool, 'reading'), told * readingsEach)
})

/** @returns what became of a command to a gateway that listens at this node */
async function readNow(node: NatsNode): Promise<DownlinkState> {
  const client = await connectToNats(cluster.nats, 'gw-1', { node, clientId: 'gw-1 hears' })
  const gateway = await HearingGateway.over(client, 'gw-1')
  const asked = await ask(pool, { place: { gateway: 'gw-1', bus: 'bus', address: '1' }, kind: 'read-now' })
  const { id } = await gateway.hear(1)
  await gateway.answer(id)
  await until(async () => (await stateOf(pool, asked)).state === 'done')
  await gateway.leave()
  return stateOf(pool, asked)
}

function acknowledgedBy(senders: readonly ClusterGateway[]): number {
  return senders.reduce((sum, sender) => sum + sender.acknowledged.size, 0)
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 2_400; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

/** What does not come to be may be lost or stand still: the stream and its consumer say which. */
async function untilOrTell(what: () => Promise<boolean>): Promise<void> {
  await until(what).catch(async (thrown: unknown) => {
    t.comment(`stored ${await count(pool, 'reading')} of ${told * readingsEach} readings; ${await state.describe()}`)
    throw thrown
  })
}
