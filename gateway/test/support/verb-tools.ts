import { asError, isAppError } from '@endeks/domain/errors'
import { systemClock } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import type { VerbTools } from '../../src/verbs/tools.js'

export interface Heard {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

/** What a verb is given, and everything that it says. An AppError counts as its code, said as the executable says it. */
export async function hear(
  options: { readonly environment?: VerbTools['environment']; readonly signal?: AbortSignal; readonly clock?: Clock },
  verb: (tools: VerbTools) => Promise<number>
): Promise<Heard> {
  const [out, err]: [string[], string[]] = [[], []]
  const tools: VerbTools = {
    environment: options.environment ?? {},
    clock: options.clock ?? systemClock,
    print: (line) => void out.push(line),
    note: (line) => void err.push(line),
    signal: options.signal ?? new AbortController().signal
  }
  let code: number | string
  try {
    code = await verb(tools)
  } catch (thrown) {
    if (!isAppError(thrown)) throw thrown
    code = thrown.code
    err.push(asError(thrown).message)
  }
  return { code, out: out.join('\n'), err: err.join('\n') }
}
