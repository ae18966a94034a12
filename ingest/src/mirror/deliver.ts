import { AppError } from '@endeks/domain/errors'
import type { MirrorRefusal, MirrorRow } from '../store/mirror.js'
import { toLine } from './line.js'
import { type Receiver, WriteFailure } from './receiver.js'

export interface Delivered {
  readonly refusals: MirrorRefusal[]
  /** how many at once were too many; undefined when none were */
  readonly tooMany: number | undefined
}

interface Progress {
  readonly refusals: MirrorRefusal[]
  tooMany: number | undefined
  /** whether the receiver took anything, so that a refusal is about the reading and not about everything */
  trusted: boolean
}

/**
 * Brings rows to the receiver. A refused batch is halved down to the readings that it will not take, which are left out: at most
 * twice as many writes as rows. Before the first is left out, the receiver must have taken something else, if need be a point of
 * the mirror's own: one that refuses whatever it is sent has a mistake in its settings, and nothing is left out for that.
 *
 * @throws {WriteFailure} when the receiver is out of reach, full, or refuses everything: all is to be brought again
 */
export async function deliver(
  receiver: Receiver,
  rows: readonly MirrorRow[],
  how: { readonly nowMs: () => number; readonly signal: AbortSignal }
): Promise<Delivered> {
  const progress: Progress = { refusals: [], tooMany: undefined, trusted: false }
  const waiting: (readonly MirrorRow[])[] = [rows]
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (how.signal.aborted) throw new WriteFailure('unavailable', 'the mirror is stopping', 0, undefined)
    const failure = await write(receiver, part.map(toLine))
    if (failure === undefined) {
      progress.trusted = true
      continue
    }
    if (failure.kind === 'too-large') progress.tooMany = Math.min(progress.tooMany ?? part.length, part.length)
    const [first] = part
    if (part.length > 1) {
      const middle = Math.ceil(part.length / 2)
      waiting.push(part.slice(middle), part.slice(0, middle))
    } else if (first !== undefined) {
      if (!progress.trusted) await probe(receiver, how.nowMs(), failure)
      progress.trusted = true
      const { code, message } = new AppError('MIRROR_POINT_REFUSED', failure.message)
      progress.refusals.push({ row: first, code, message })
    }
  }
  return { refusals: progress.refusals, tooMany: progress.tooMany }
}

async function write(receiver: Receiver, lines: readonly string[]): Promise<WriteFailure | undefined> {
  try {
    await receiver.write(lines)
    return undefined
  } catch (thrown) {
    if (thrown instanceof WriteFailure && thrown.kind !== 'unavailable') return thrown
    throw thrown
  }
}

async function probe(receiver: Receiver, nowMs: number, refused: WriteFailure): Promise<void> {
  const failure = await write(receiver, [`endeks_mirror probe=1i ${nowMs}`])
  if (failure === undefined) return
  throw new WriteFailure('unavailable', `it refuses whatever it is sent: ${refused.message}`, 0, failure)
}
