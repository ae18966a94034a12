import { writeSync } from 'node:fs'
import { createLog, killPointAt } from '@endeks/domain/process'
import { Spool } from '../../src/spool/spool.js'
import { readout } from './readouts.js'

// A gateway of its own process: appends and trims, says what was answered for, and ends itself by SIGKILL the n-th time that
// it comes to the named point.
const [directory = '', point = '', count = '1', maxBytes = '10000000'] = process.argv.slice(2)
const spool = await Spool.open({
  directory,
  maxBytes: Number(maxBytes),
  log: createLog('writer', () => {}),
  killPoint: killPointAt(`${point}#${count}`)
})
// Written synchronously: a line in the pipe survives the process.
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)
say({ epoch: spool.epoch })
for (let round = 0; round < 100; round += 1) {
  const lane = round % 3 === 0 ? 'backlog' : 'live'
  await spool.append({ lane, readouts: [readout(`${round}`, 2)], profiles: [], marks: [] })
  say({ appended: round })
  const [loss] = spool.losses
  if (loss !== undefined && round % 10 === 9) {
    say({ forgetting: loss })
    await spool.forgetLoss(loss)
  }
  // With a limit it is losses that are watched: nothing is trimmed then.
  if (round % 4 === 3 && Number(maxBytes) >= 1_000_000) {
    const [oldest] = await spool.range('live', { first: 1, last: Number.MAX_SAFE_INTEGER, limit: 1 })
    if (oldest === undefined) continue
    say({ trimming: oldest.sequence })
    await spool.trim(oldest)
  }
}
await spool.close()
