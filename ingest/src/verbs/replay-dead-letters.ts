import { createPool } from '@endeks/database/pool'
import { AppError, catalogue, isAppError, withCode } from '@endeks/domain/errors'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, loadConfig, systemClock } from '@endeks/domain/process'
import { fromIso } from '@endeks/domain/time'
import Type from 'typebox'
import { type ReplayCount, replayDeadLetters } from '../accept/replay.js'
import { Resolver } from '../accept/resolver.js'
import { noKillPoint } from '../kill-points.js'
import type { LetterChoice } from '../store/dead-letters.js'
import { ExchangeIds } from '../store/exchanges.js'
import { Partitions } from '../store/partitions.js'

const Config = Type.Object({ databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }) }, { additionalProperties: false })
const names = { databaseUrl: 'ENDEKS_DATABASE_URL' } as const

/** One for the letters, one for what is stored. */
const connections = 3
const statementTimeoutMs = 5_000
const progressEveryMs = 2_000

export interface ReplayArguments {
  readonly code?: string
  readonly gateway?: string
  readonly since?: string
  readonly dryRun: boolean
}

export interface ReplayTools {
  readonly print: (line: string) => void
  readonly note: (line: string) => void
  readonly signal: AbortSignal
}

/**
 * @returns 0 when none of those that were meant stays behind
 * @throws {AppError} CONFIG_INVALID for a wrong argument, DATABASE_UNREACHABLE
 */
export async function replay(
  environment: Readonly<Record<string, string | undefined>>,
  given: ReplayArguments,
  tools: ReplayTools
): Promise<0 | 1> {
  const { databaseUrl } = loadConfig(Config, names, environment)
  const choice = choiceOf(given)
  const log = createLog('ingest')
  const pool = createPool({
    ...{ url: databaseUrl, role: 'endeks_ingest', max: connections, applicationName: 'endeks-ingest-replay', statementTimeoutMs, log }
  })
  const clock = systemClock
  let noted = performance.now()
  const progress = (done: number, of: number): void => {
    if (performance.now() - noted < progressEveryMs) return
    noted = performance.now()
    tools.note(`${done} of ${of} dead letters`)
  }
  try {
    const work = () =>
      replayDeadLetters(
        {
          pool,
          clock,
          log,
          resolver: new Resolver(clock),
          exchangeIds: new ExchangeIds(),
          partitions: new Partitions(pool),
          killPoint: noKillPoint
        },
        { choice, dryRun: given.dryRun, progress, signal: tools.signal }
      )
    const counts = await withCode('DATABASE_UNREACHABLE', 'the database did not go along; those before are done', work)
    for (const line of summaryOf(counts, given.dryRun)) tools.print(line)
    if (tools.signal.aborted) tools.print('stopped before its end; run it again for the rest')
    return tools.signal.aborted || staying(counts) > 0 ? 1 : 0
  } finally {
    await pool.end()
  }
}

function choiceOf({ code, gateway, since }: ReplayArguments): LetterChoice {
  if (code !== undefined && !Object.hasOwn(catalogue, code)) throw new AppError('CONFIG_INVALID', `--code ${code}: there is no such code`)
  return {
    ...(code === undefined ? {} : { code }),
    ...(gateway === undefined ? {} : { gateway: argument('--gateway', () => gatewayId(gateway)) }),
    ...(since === undefined ? {} : { since: argument('--since', () => fromIso(since)) })
  }
}

function argument<Value>(name: string, read: () => Value): Value {
  try {
    return read()
  } catch (thrown) {
    if (isAppError(thrown, 'VALIDATION')) throw new AppError('CONFIG_INVALID', `${name}: ${thrown.message}`, {}, thrown)
    throw thrown
  }
}

/** A line for each code that the letters had, and one for what became of them together. */
export function summaryOf(counts: ReadonlyMap<string, ReplayCount>, dryRun: boolean): string[] {
  const takenWord = dryRun ? 'would be taken' : 'taken'
  const lines = [...counts].map(([code, { taken, cut, refused }]) => {
    const parts = [`${taken} ${takenWord}`, ...[...refused].map(([again, count]) => `${count} refused (${again})`)]
    return `${code}: ${[...parts, ...(cut > 0 ? [`${cut} not replayable, as only the first 64 KB were kept`] : [])].join(', ')}`
  })
  const taken = [...counts.values()].reduce((sum, count) => sum + count.taken, 0)
  return [...lines, `in all: ${taken} ${takenWord}, ${staying(counts)} staying`]
}

function staying(counts: ReadonlyMap<string, ReplayCount>): number {
  return [...counts.values()].reduce((sum, { cut, refused }) => sum + cut + [...refused.values()].reduce((all, count) => all + count, 0), 0)
}
