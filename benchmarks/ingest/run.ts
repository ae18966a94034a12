import { join } from 'node:path'
import { systemClock } from '@endeks/domain/process'
import { startCluster } from '../support/cluster.js'
import { startGenerator } from '../support/generator.js'
import { startIngestProcess } from '../support/ingest.js'
import { registers, site } from '../support/load.js'
import { enterUtility, fillHistory, formerMonth } from '../support/utility.js'
import { readOptions } from './options.js'
import { report } from './report.js'
import { measureRound, type Round } from './round.js'
import { Ticks } from './ticks.js'

const options = readOptions(process.argv.slice(2))
const cluster = await startCluster('ingest', options.keep)
const running: { stop(): Promise<void> }[] = [cluster]
try {
  console.log(
    Object.entries(cluster.settings)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')
  )
  const start = formerMonth(systemClock.now())
  const firstRegister = await enterUtility(cluster.pool, { start, validation: options.validation })
  console.error(`storing ${(options.storedTicks * registers).toLocaleString('en')} readings`)
  await fillHistory(cluster.pool, { start, firstRegister, ticks: options.storedTicks })
  console.log(
    `${site.gateways} gateways, ${registers.toLocaleString('en')} registers, ${(options.storedTicks * registers).toLocaleString('en')} readings stored`
  )
  const ingest = await startIngestProcess(cluster)
  running.unshift(ingest)
  const generator = await startGenerator(join(cluster.directory, 'generator.log'))
  running.unshift(generator)
  const bench = { cluster, ingest, generator, start, firstRegister, window: options.window }
  const ticks = new Ticks(start, options.storedTicks)
  const rounds: Round[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    rounds.push(await measureRound(bench, ticks, options))
    console.error(`round ${round} of ${options.rounds} done`)
  }
  report(rounds)
} finally {
  // Whatever went wrong, no process stays behind.
  for (const each of running) await each.stop()
}
