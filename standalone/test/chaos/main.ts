// What survives when anything dies at any time: a whole small utility runs, things go wrong round by round, and after each round
// whatever was acknowledged on the wire is looked for in the tables; in the end every value that a meter stored must be there, once.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { systemClock } from '@endeks/domain/process'

import { Random } from './random.js'
import { rounds } from './rounds.js'
import { brokenPromises, contradictions, inventedValues, missingValues, sequenceGaps, unmirrored, waiting } from './verdict.js'
import { World } from './world.js'

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '30' }, seed: { type: 'string' }, keep: { type: 'boolean', default: false } }
})
const count = Number(values.rounds)
const seed = Number(values.seed ?? systemClock.now() % 1_000_000)
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) throw new Error('--rounds and --seed take whole numbers')

/** About what a round takes; the meters' time goes by at a pace that fills the run. */
const roundMs = 4_000
/** How long the rest may take to arrive when nothing goes wrong any more. */
const settleWithinMs = 300_000

const random = new Random(seed)
const directory = mkdtempSync(join(tmpdir(), 'endeks-chaos-'))
// PostgreSQL runs as an account of its own.
chmodSync(directory, 0o755)
const problems: string[] = []
let promises = 0
say(`${count} rounds, seed ${seed}`)
const world = await World.start(directory, Math.max(60_000, count * roundMs))

const disks = world.databaseDisk !== undefined && world.spoolDisk !== undefined
if (!disks) say('not run: rounds that fill a disk, as only root may mount one')

let number = 0
for (const round of rounds(random, disks)) {
  number += 1
  const found = [await round.run(world, random), ...(await holdPromises())].filter((problem) => problem !== undefined)
  say(`round ${number}: ${round.name}; ${promises} messages acknowledged so far${found.length === 0 ? '' : `\n  ${found.join('\n  ')}`}`)
  problems.push(...found)
  if (number >= count) break
}
problems.push(...(await settle()))
await world.stop()
say(problems.length === 0 ? `nothing lost, nothing twice: ${number} rounds` : problems.join('\n'))
if (problems.length > 0 || values.keep) say(`logs and database are in ${directory}; the same again: --rounds ${count} --seed ${seed}`)
else rmSync(directory, { recursive: true })
process.exitCode = problems.length === 0 ? 0 : 1

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function holdPromises(): Promise<string[]> {
  const messages = world.witness.take()
  promises += messages.length
  const { pool } = world.database
  return [...(await brokenPromises(pool, messages)), ...(await contradictions(pool))]
}

/** Lets everything arrive, and holds the tables against the dials. */
async function settle(): Promise<string[]> {
  const midnights = world.time.midnights()
  while (await world.enterOneLate());
  // At its start a gateway asks for what its meters have stored.
  for (const gateway of world.gateways) {
    await gateway.kill()
    await world.startGateway(gateway)
  }
  const until = performance.now() + settleWithinMs
  let { missing, expected } = await missingValues(world.database.pool, midnights)
  while (performance.now() < until) {
    if (missing.length === 0 && (await waiting(world.database.pool)) === 0) break
    await sleep(500)
    missing = (await missingValues(world.database.pool, midnights)).missing
  }
  const { pool } = world.database
  // Of twenty messages under way any may be stored first: a gap is one that stays.
  let gaps = await sequenceGaps(pool)
  while (gaps.length > 0 && performance.now() < until) {
    await sleep(500)
    gaps = await sequenceGaps(pool)
  }
  // Nothing new from here on: what is stored must all come to the mirror.
  for (const gateway of world.gateways) await gateway.stop()
  let lacking = await unmirrored(pool, await world.receiver.points())
  while (lacking.length > 0 && performance.now() < until) {
    await sleep(1_000)
    lacking = await unmirrored(pool, await world.receiver.points())
  }
  const left = await waiting(pool)
  say(`${expected} stored values of the meters, ${missing.length} of them missing`)
  return [
    ...missing.slice(0, 20),
    ...(left === 0 ? [] : [`${left} readings or spans still wait`]),
    ...(await holdPromises()),
    ...(await inventedValues(pool)),
    ...gaps,
    ...lacking.slice(0, 20)
  ]
}
