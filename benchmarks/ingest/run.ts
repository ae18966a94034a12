import { startBench } from '../support/bench.js'
import { readOptions } from './options.js'
import { measurePeers } from './peers/peers.js'
import { report } from './report.js'
import { measureRound, type Round } from './round.js'

const options = readOptions(process.argv.slice(2))
const bench = await startBench('ingest', options)
try {
  const rounds: Round[] = []
  for (let round = 1; round <= options.rounds; round += 1) {
    rounds.push(await measureRound(bench, options))
    console.error(`round ${round} of ${options.rounds} done`)
  }
  const peers = options.peers ? await measurePeers(bench, options) : undefined
  report(rounds, peers)
} finally {
  await bench.stop()
}
