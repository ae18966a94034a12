import { gatewayId } from '@endeks/domain/identifiers'
import type { ForeignContext } from '../formats/format.js'
import { foreignFormatOf } from '../formats/index.js'
import { Births } from '../formats/sparkplug/births.js'
import { countLetters, type KeptLetter, type LetterChoice, markReplayed, readLetters } from '../store/dead-letters.js'
import { readForeignGateway } from '../store/foreign-gateways.js'
import { defaultAcceptLimits } from './acceptor.js'
import { type CommitDependencies, Committer } from './committer.js'
import { ForeignGateways } from './foreign-gateways.js'
import { Message } from './message.js'
import { type Incoming, prepare } from './prepare.js'

/** What became of the letters of one code. */
export interface ReplayCount {
  taken: number
  /** kept without their end, so that nothing can be read again */
  cut: number
  /** by the code that they are refused with now */
  readonly refused: Map<string, number>
}

export interface ReplayOptions {
  readonly choice: LetterChoice
  /** says what would be taken, and takes nothing; what only the database would refuse counts as taken */
  readonly dryRun: boolean
  /** told after each letter */
  readonly progress: (done: number, of: number) => void
  readonly signal: AbortSignal
}

/** Letters in memory at a time, of 64 KB at most each. */
const readAtOnce = 50

/**
 * Takes dead letters by the way that every message takes, in the order in which they came, each in a transaction of its own.
 * What is there already stays as it is, so that a replay that dies is simply run again, beside whatever else is stored. A letter
 * that is refused once more stays where it is, with its new code noted, and is not kept a second time.
 *
 * @throws {AppError} DATABASE_UNREACHABLE, TIMEOUT: those before are done
 */
export async function replayDeadLetters(dependencies: CommitDependencies, options: ReplayOptions): Promise<Map<string, ReplayCount>> {
  const { pool, clock } = dependencies
  const { choice, dryRun, progress, signal } = options
  const committer = new Committer(dependencies, { ...defaultAcceptLimits, deadLettersPerDay: 0 })
  const gateways = new ForeignGateways((gateway) => readForeignGateway(pool, gateway), clock)
  const counts = new Map<string, ReplayCount>()
  const { count, lastId } = await countLetters(pool, choice)
  let done = 0
  for (let afterId = 0n; ; ) {
    const letters = await readLetters(pool, choice, { afterId, lastId, limit: readAtOnce })
    for (const letter of letters) {
      if (signal.aborted) return counts
      const outcome =
        letter.payload === undefined ? 'cut' : await takeAgain({ ...letter, payload: letter.payload }, { committer, gateways, dryRun })
      note(counts, letter.code, outcome)
      if (!dryRun && outcome !== 'cut') await markReplayed(pool, letter.id, outcome)
      afterId = letter.id
      done += 1
      progress(done, count)
    }
    if (letters.length < readAtOnce) return counts
  }
}

interface Taking {
  readonly committer: Committer
  readonly gateways: ForeignGateways
  readonly dryRun: boolean
}

/** @returns `taken`, or the code it is refused with */
async function takeAgain(letter: KeptLetter & { readonly payload: Buffer }, { committer, gateways, dryRun }: Taking): Promise<string> {
  const incoming: Incoming = { gateway: gatewayId(letter.gateway), topic: letter.topic, payload: letter.payload }
  const context = await contextOf(letter, incoming, gateways)
  const message = new Message(incoming.payload.length, () => prepare(incoming, defaultAcceptLimits, context), { once: true })
  if (dryRun) return message.prepared().deadLetter?.code ?? 'taken'
  const { results, failures } = await committer.commit([message])
  const failure = failures.get(message)
  if (failure !== undefined) throw failure
  return results.flatMap((result) => result.refusals)[0] ?? 'taken'
}

/** What was known of the births when the letter was refused is kept with it; what has been born since means something else. */
async function contextOf(letter: KeptLetter, incoming: Incoming, gateways: ForeignGateways): Promise<ForeignContext | undefined> {
  const format = foreignFormatOf(letter.topic)
  if (format === undefined) return undefined
  const births = new Births()
  if (letter.readWith !== undefined) format.recall?.(incoming, letter.readWith, births)
  return {
    gateway: await gateways.of(letter.gateway),
    births,
    receivedAt: letter.receivedAt,
    gap: () => undefined,
    isStored: () => false
  }
}

function note(counts: Map<string, ReplayCount>, code: string, outcome: string): void {
  const count = counts.get(code) ?? { taken: 0, cut: 0, refused: new Map<string, number>() }
  counts.set(code, count)
  if (outcome === 'taken') count.taken += 1
  else if (outcome === 'cut') count.cut += 1
  else count.refused.set(outcome, (count.refused.get(outcome) ?? 0) + 1)
}
