import { awaitCommand, resultOf } from '@endeks/database/commands'
import { epochMs, fromIso, toIso } from '@endeks/domain/time'
import { formatScaled } from '@endeks/domain/units'
import type { ApiContext } from '../../context.js'
import { surrogateId } from '../../identifiers.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { defaultLimit, instantKey, pageOf, readCursor } from '../../store/paging.js'
import { hex, indexOf, type Measured } from '../../wire.js'
import { enqueueTyped, refuseFuture } from './enqueue.js'
import { NewReading, type Reading, ReadingAccepted, ReadingPage, ReadingQuery } from './schema.js'
import { checkRegister, listReadings, type ReadingRow } from './store.js'

const tags = ['readings']
/** A typed reading that could not be booked within an hour is better typed again than booked as a surprise. */
const deadlineMs = 3_600_000

export async function readingRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool } = context

  app.get(
    '/readings',
    {
      config: { access: 'readings.read' },
      schema: {
        tags,
        summary: 'Indexes of a register, newest first',
        querystring: ReadingQuery,
        response: { 200: ReadingPage, ...refusals }
      }
    },
    async (request) => {
      const { register, from, to, cursor, limit = defaultLimit } = request.query
      const [before] = readCursor(cursor, [instantKey]) ?? []
      const found = await listReadings(pool, {
        register: await checkRegister(pool, surrogateId(register)),
        from: from === undefined ? undefined : fromIso(from),
        to: to === undefined ? undefined : fromIso(to),
        before: before === undefined ? undefined : epochMs(Number(before)),
        limit
      })
      const { page, next } = pageOf(found, limit, (row) => [row.at.toString()])
      return { items: page.map((row, index) => toWire(row, found[index + 1])), next }
    }
  )

  app.post(
    '/readings',
    {
      config: { access: 'readings.write' },
      schema: {
        tags,
        summary: 'Type a reading; it is booked as one from a gateway is',
        body: NewReading,
        response: { 201: ReadingAccepted, 202: ReadingAccepted, ...refusals }
      }
    },
    async (request, reply) => {
      const { done, answer } = await typeReading(context, request.body, staffOf(request).login)
      reply.code(done ? 201 : 202)
      return answer
    }
  )
}

async function typeReading(
  context: ApiContext,
  reading: NewReading,
  actor: string
): Promise<{ readonly done: boolean; readonly answer: ReadingAccepted }> {
  const { pool, clock } = context
  const register = await checkRegister(pool, surrogateId(reading.register))
  refuseFuture(clock, reading.at, '/at')
  const typed = { register, at: fromIso(reading.at), index: reading.index, path: '/index', requestedBy: actor, deadlineMs }
  const id = await enqueueTyped(pool, typed, clock)
  const command = await awaitCommand(pool, { id, clock })
  if (command.state === 'queued') return { done: false, answer: { command: id.toString(), state: command.state, outcome: null } }
  const result = resultOf(command)
  return { done: true, answer: { command: id.toString(), state: command.state, outcome: outcomeOf(result) } }
}

/** What became of it: stored, the same as one that stands, or in conflict with it. */
function outcomeOf(result: unknown): string | null {
  if (typeof result !== 'object' || result === null || !('stored' in result)) return null
  if (result.stored === true) return 'stored'
  return typeof result.stored === 'string' ? result.stored : null
}

function toWire(row: ReadingRow, earlier: ReadingRow | undefined): Reading {
  return {
    register: row.register_id.toString(),
    at: toIso(row.at),
    index: indexOf(row.raw, row.scaler, row.unit),
    difference: earlier === undefined ? null : difference(row, earlier),
    raw: row.raw.toString(),
    scaler: row.scaler,
    status: row.status,
    source: row.source,
    evidence: row.evidence === null ? null : hex(row.evidence)
  }
}

/** Two indexes of one unit, brought to the finer scaler; of two units there is no difference without converting, and none is shown. */
function difference(row: ReadingRow, earlier: ReadingRow): Measured | null {
  if (row.unit !== earlier.unit) return null
  const places = Math.max(0, -row.scaler, -earlier.scaler)
  const scaled = (each: ReadingRow): bigint => each.raw * 10n ** BigInt(each.scaler + places)
  return { value: formatScaled(scaled(row) - scaled(earlier), places, places), unit: row.unit }
}
