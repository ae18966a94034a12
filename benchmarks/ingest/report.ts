import { brief, type Claim, claimInWords, holds } from '../support/claims.js'
import { median } from '../support/quantile.js'
import type { measurePeers } from './peers/peers.js'
import { type LoadName, loadNames, type Round } from './round.js'
import type { Throughput } from './throughput.js'

type Peers = NonNullable<Awaited<ReturnType<typeof measurePeers>>>

/** Prints the figures of all rounds, each ratio with must and goal, and at last the answer in one line of JSON. */
export function report(rounds: readonly Round[], peers: Peers | undefined): void {
  const over = (figure: (round: Round) => number): number => median(rounds.map(figure))
  console.log(`\nThe median of ${rounds.length} rounds. us: microseconds of processor time a reading, by process`)
  for (const name of loadNames)
    console.log(
      throughputInWords(
        name,
        rounds.map(({ product }) => product[name])
      )
    )
  console.log(
    throughputInWords(
      'everything again',
      rounds.map(({ redelivery }) => redelivery)
    )
  )
  const limits = {
    'COPY, INSERT ON CONFLICT, 1 connection': 'insertOne',
    'COPY, INSERT ON CONFLICT, 2 connections': 'insertTwo',
    'plain COPY, 2 connections': 'plainTwo'
  } as const
  for (const [name, key] of Object.entries(limits)) {
    const speed = over((round) => round[key].rowsPerSecond)
    console.log(`${name.padEnd(40)} ${brief(speed)} rows/s, us: postgres ${brief(over((round) => round[key].serverMicrosecondsPerRow))}`)
  }
  console.log(`${'the broker alone, single readings'.padEnd(40)} ${brief(over((round) => round.stubbed))} messages/s\n`)
  printPeers(over, peers)
  const claims = claimsOf(over)
  for (const claim of claims) console.log(claimInWords(claim))
  const figures = Object.fromEntries(loadNames.map((name) => [name, Math.round(over((round) => round.product[name].readingsPerSecond))]))
  const limit = Object.fromEntries(Object.values(limits).map((key) => [key, Math.round(over((round) => round[key].rowsPerSecond))]))
  const ratio = Object.fromEntries(claims.map(({ name, figure }) => [name, Number(figure.toPrecision(3))]))
  const held = claims.filter((claim) => holds(claim, claim.must)).length
  console.log(`${held} of ${claims.length} hold\n`)
  console.log(
    JSON.stringify({ question: 'ingest', figures, limit: { ...limit, stubbed: Math.round(over((round) => round.stubbed)) }, ratio })
  )
}

type Over = (figure: (round: Round) => number) => number

/** What people use today, and where it is faster. Mosquitto has acknowledged what its subscriber may still lose. */
function printPeers(over: Over, measured: Peers | undefined): void {
  if (measured === undefined) {
    console.log('Mosquitto is left out: it is not installed, or was not asked for')
    return
  }
  for (const { name, storedPerSecond, acknowledgedPerSecond, microsecondsPerReading: us } of measured.peers) {
    const by = `us: mosquitto ${brief(us.mosquitto)} subscriber ${brief(us.subscriber)} postgres ${brief(us.postgres)}`
    console.log(`Mosquitto, ${name}: ${brief(storedPerSecond)} readings/s stored, ${brief(acknowledgedPerSecond)} acknowledged; ${by}`)
  }
  for (const { style, acknowledged, lost } of measured.killed) {
    console.log(`Mosquitto, ${style}, its subscriber killed once: ${lost} of ${acknowledged} acknowledged readings lost`)
  }
  for (const [name, of] of [['100 a message', 1] as const, ['500 a message', 2] as const]) {
    const ours = over((round) => round.product[name].readingsPerSecond)
    const theirs = measured.peers[of]?.storedPerSecond ?? Number.NaN
    const verdict = ours < theirs ? 'WE LOSE' : 'we win'
    console.log(
      `${name}: ours ${brief(ours)} readings/s with evidence, theirs ${brief(theirs)} without: ${brief(ours / theirs)} x, ${verdict}`
    )
  }
  console.log('')
}

function claimsOf(over: Over): Claim[] {
  const against = (name: LoadName, limit: 'insertTwo' | 'plainTwo'): number =>
    over((round) => round.product[name].readingsPerSecond / round[limit].rowsPerSecond)
  const single = 'single readings'
  const conflict = 'against COPY, INSERT ON CONFLICT, 2 connections'
  const x = { unit: 'x' }
  return [
    { ...x, name: `500 a message, ${conflict}`, figure: against('500 a message', 'insertTwo'), must: 1, goal: 1.4 },
    {
      ...x,
      name: '500 a message, against plain COPY, 2 connections',
      figure: against('500 a message', 'plainTwo'),
      must: 0.55,
      goal: 0.85
    },
    { ...x, name: `100 a message, ${conflict}`, figure: against('100 a message', 'insertTwo'), must: 0.8, goal: 1.3 },
    {
      ...{ ...x, name: `${single}, against the broker alone`, must: 0.4, goal: 0.7 },
      figure: over((round) => round.product[single].messagesPerSecond / round.stubbed)
    },
    { name: single, unit: 'readings/s', figure: over((round) => round.product[single].readingsPerSecond), must: 25_000, goal: 50_000 },
    {
      ...{ ...x, name: `everything again, ${conflict}`, must: 0.4, goal: 0.7 },
      figure: over((round) => round.redelivery.readingsPerSecond / round.insertTwo.rowsPerSecond)
    }
  ]
}

function throughputInWords(name: string, measured: readonly Throughput[]): string {
  const over = (figure: (each: Throughput) => number): string => brief(median(measured.map(figure)))
  const [first] = measured
  const message = `${first?.messageBytes} bytes and ${first?.exchanges} exchanges a message`
  return [
    `${name.padEnd(40)} ${over((each) => each.readingsPerSecond)} readings/s`,
    `PUBACK p50 ${over((each) => each.p50Ms)} p99 ${over((each) => each.p99Ms)} ms`,
    `us: ingest ${over((each) => each.microsecondsPerReading.ingest)} postgres ${over((each) => each.microsecondsPerReading.postgres)} generator ${over((each) => each.microsecondsPerReading.generator)}`,
    `validation made ${over((each) => each.validation.segments)} segments, ${over((each) => each.validation.waiting)} spans wait`,
    message,
    `${over((each) => each.cuts)} connections cut`
  ].join('; ')
}
