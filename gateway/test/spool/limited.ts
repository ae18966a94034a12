import { writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { createLog, killPointAt } from '@endeks/domain/process'
import { Spool } from '../../src/spool/spool.js'
import { readout } from './readouts.js'

// A process with a spool that is told by words on its standard input what to do, and says what was answered for.
const [directory = '', killAt = '', reserve = '100000'] = process.argv.slice(2)
const say = (line: object): void => void writeSync(1, `${JSON.stringify(line)}\n`)
const log = createLog('limited', (line) => void writeSync(1, line))
const killPoint = killPointAt(killAt === '' ? undefined : killAt)
const spool = await Spool.open({ directory, maxBytes: 64 * 1_048_576, log, checkAfterMs: 50, reserveBytes: Number(reserve), killPoint })
say({ room: true })
let stopped = false

async function appendUntilStopped(): Promise<void> {
  for (let name = 1; !stopped; name += 1) {
    await spool.append({ lane: 'live', readouts: [readout(String(name), 1, 500)], profiles: [], marks: [] })
    say({ appended: name })
  }
  await spool.close()
}

let appending: Promise<void> | undefined
for await (const word of createInterface({ input: process.stdin })) {
  if (word === 'append') appending = appendUntilStopped()
  else if (word === 'stop') stopped = true
  else {
    const [oldest] = await spool.range('live', { first: 1, last: 9, limit: 1 })
    if (oldest !== undefined) await spool.trim(oldest)
    say({ state: spool.state })
  }
}
await appending
