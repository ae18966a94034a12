import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, systemClock } from '@endeks/domain/process'
import { Counters, GroupWriter, Spool, Uplink } from '@endeks/gateway/delivery'
import { residentMb } from '../support/accounting.js'
import { appendToFile, publishFromMemory } from './limits.js'
import { announced, readoutOf } from './readouts.js'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { meters: { ...text, default: '10000' }, rounds: { ...text, default: '24' } } })
const [meters, rounds] = [Number(values.meters), Number(values.rounds)]
/** So many buses have a reading at the same time where the disk is the slowest part. */
const busCount = 256
const singles = 500
const maxBytes = 1_073_741_824

const directory = mkdtempSync(join(tmpdir(), 'endeks-spool-'))
const spoolDirectory = join(directory, 'spool')
const log = createLog('spool', () => {})
const broker = fork(fileURLToPath(new URL('./broker.js', import.meta.url)))
const memory: number[] = []
const sampler = setInterval(() => memory.push(residentMb(process.pid)), 200)
const batchOf = (readouts: ReturnType<typeof readoutOf>[]) => ({ lane: 'live' as const, readouts, profiles: [announced], marks: [] })
const seconds = async (work: () => Promise<void>): Promise<number> => {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1_000
}

try {
  const [{ port }] = (await once(broker, 'message')) as [{ port: number }]
  const url = `mqtt://127.0.0.1:${port}`
  // A reading of its own, as it comes every third of a second: one message, one sync.
  const alone = await Spool.open({ directory: join(directory, 'alone'), maxBytes, log })
  const aloneSeconds = await seconds(async () => {
    for (let meter = 0; meter < singles; meter += 1) await alone.append(batchOf([readoutOf(meter, 0)]))
  })
  const aloneTexts = (await alone.range('live', { first: 1, last: singles, limit: singles })).map((message) => message.text)
  const aloneBytes = alone.state.bytes / singles
  await alone.close()
  const fileSeconds = await appendToFile(join(directory, 'file'), aloneTexts)
  // All buses at once, as the acquisition groups them while the disk is busy.
  const crowd = await Spool.open({ directory: join(directory, 'crowd'), maxBytes, log })
  const writer = new GroupWriter(crowd)
  const crowdSeconds = await seconds(async () => {
    await Promise.all(
      Array.from({ length: busCount }, async (_, bus) => {
        for (let meter = bus; meter < meters; meter += busCount) await writer.write(batchOf([readoutOf(meter, 0)]))
      })
    )
  })
  const crowdBytes = crowd.state.bytes / meters
  await crowd.close()
  // The day, each reading a message of its own: the most that there can be.
  const filling = await Spool.open({ directory: spoolDirectory, maxBytes, log, limits: { bytes: 65_536, readings: 1 } })
  const fillSeconds = await seconds(async () => {
    for (let round = 0; round < rounds; round += 1) {
      for (let from = 0; from < meters; from += busCount)
        await filling.append(
          batchOf(Array.from({ length: Math.min(busCount, meters - from) }, (_, index) => readoutOf(from + index, round)))
        )
    }
  })
  const held = filling.state
  await filling.close()
  const onDisk = readdirSync(spoolDirectory)
    .filter((name) => name !== 'reserve')
    .reduce((sum, name) => sum + statSync(join(spoolDirectory, name)).size, 0)
  const opening = performance.now()
  const spool = await Spool.open({ directory: spoolDirectory, maxBytes, log })
  const openMs = performance.now() - opening
  const counters = new Counters()
  const uplink = new Uplink({
    gateway: gatewayId('GW-01'),
    url,
    spool,
    log,
    counters,
    clock: systemClock,
    replay: { messagesPerSecond: 1_000_000, bytesPerSecond: 10_000_000_000 }
  })
  memory.splice(0)
  const replaySeconds = await seconds(async () => {
    uplink.start()
    while (spool.state.messages > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  })
  await uplink.stop()
  const { lostMessages } = spool.state
  await spool.close()
  broker.send('count')
  const [arrived] = (await once(broker, 'message')) as [{ messages: number; bytes: number }]
  const published = Math.min(20_000, held.messages)
  const limitSeconds = await publishFromMemory(url, aloneTexts[0] ?? '', published)
  const replayed = held.messages / replaySeconds
  const day = meters * rounds
  const figures = {
    readings: day,
    messages: held.messages,
    bytesAReadingAlone: Math.round(aloneBytes),
    bytesAReadingGrouped: Math.round(crowdBytes),
    heldMb: Math.round(held.bytes / 1_048_576),
    onDiskMb: Math.round(onDisk / 1_048_576),
    dayAtFifteenMinutesMb: Math.round((meters * 96 * aloneBytes) / 1_048_576),
    limitMb: maxBytes / 1_048_576,
    aloneASecond: Math.round(singles / aloneSeconds),
    groupedASecond: Math.round(meters / crowdSeconds),
    filledASecond: Math.round(day / fillSeconds),
    openMs: Math.round(openMs),
    replayedASecond: Math.round(replayed),
    memoryMb: { least: Math.round(Math.min(...memory)), most: Math.round(Math.max(...memory)) }
  }
  const limit = { fileAppendsASecond: Math.round(singles / fileSeconds), publishedASecond: Math.round(published / limitSeconds) }
  const ratio = {
    append: Number((figures.aloneASecond / limit.fileAppendsASecond).toFixed(2)),
    replay: Number((replayed / limit.publishedASecond).toFixed(2))
  }
  console.log(JSON.stringify({ question: 'spool', figures, limit, ratio }))
  // The profile is one message more.
  if (lostMessages > 0 || arrived.messages < held.messages + 1) process.exitCode = 1
} finally {
  clearInterval(sampler)
  broker.disconnect()
  rmSync(directory, { recursive: true, force: true })
}
