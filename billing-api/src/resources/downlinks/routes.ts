import { awaitCommand, enqueue, resultOf } from '@endeks/database/commands'
import { AppError } from '@endeks/domain/errors'
import { type Clock, epochMs, toIso } from '@endeks/domain/time'
import { type CommandKind, commandKinds } from '@endeks/domain/wire'
import type { ApiContext } from '../../context.js'
import { surrogateId } from '../../identifiers.js'
import { type ApiServer, refusals, UnderWay } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import type { Right } from '../../rights.js'
import { defaultLimit, numberKey, pageOf, readCursor } from '../../store/paging.js'
import { isoOrNull } from '../../wire.js'
import { Downlink, DownlinkPage, DownlinkParams, DownlinkQuery, NewDownlink } from './schema.js'
import { checkGateway, checkMeter, type DownlinkRow, getDownlink, listDownlinks, servicePointOf } from './store.js'

const tags = ['downlinks']
const defaultMinutes = 10
/** After the deadline of one that a gateway may have, its owner waits so long for the answer to what was begun just before. */
const answerWithinMs = 120_000

const kinds: Readonly<Record<CommandKind, { readonly access: Right; readonly summary: string }>> = {
  'read-now': { access: 'downlinks.read-now', summary: 'Have a meter read now' },
  'set-clock': { access: 'downlinks.set-clock', summary: 'Set the clock of a meter' },
  valve: { access: 'downlinks.valve', summary: 'Open or close the valve of a meter' },
  credit: { access: 'downlinks.credit', summary: 'Give a prepaid meter its credit' }
}

export async function downlinkRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool, clock } = context

  app.get(
    '/downlinks',
    {
      config: { access: 'downlinks.read' },
      schema: {
        tags,
        summary: 'Commands to meters, newest first',
        querystring: DownlinkQuery,
        response: { 200: DownlinkPage, ...refusals }
      }
    },
    async (request) => {
      const { meter, gateway, cursor, limit = defaultLimit } = request.query
      const [before] = readCursor(cursor, [numberKey]) ?? []
      const found = await listDownlinks(pool, {
        meter: meter === undefined ? undefined : await checkMeter(pool, surrogateId(meter)),
        gateway,
        before: before === undefined ? undefined : BigInt(before),
        limit
      })
      const { page, next } = pageOf(found, limit, (row) => [row.id.toString()])
      return { items: page.map((row) => toWire(row, clock)), next }
    }
  )

  app.get(
    '/downlinks/:id',
    {
      config: { access: 'downlinks.read' },
      schema: { tags, summary: 'What became of a command', params: DownlinkParams, response: { 200: Downlink, ...refusals } }
    },
    async (request) => toWire(await getDownlink(pool, surrogateId(request.params.id)), clock)
  )

  for (const kind of commandKinds) {
    const { access, summary } = kinds[kind]
    app.post(
      `/downlinks/${kind}`,
      {
        config: { access },
        schema: { tags, summary, body: NewDownlink[kind], response: { 201: Downlink, 202: UnderWay, ...refusals } }
      },
      async (request, reply) => {
        const answer = await ask(context, kind, { asked: request.body, requestedBy: staffOf(request).login })
        reply.code('command' in answer ? 202 : 201)
        return answer
      }
    )
  }
}

interface Asked {
  readonly asked: NewDownlink
  readonly requestedBy: string
}

/** Has ingest enter it. The deadline counts from now, however long that takes. */
async function ask({ pool, clock }: ApiContext, kind: CommandKind, { asked, requestedBy }: Asked): Promise<Downlink | UnderWay> {
  const { parameters = {}, deadlineMinutes = defaultMinutes } = asked
  const deadlineMs = deadlineMinutes * 60_000
  const deadline = toIso(epochMs(clock.now() + deadlineMs))
  const payload = { ...(await targetOf(pool, asked)), kind, parameters: { ...parameters }, deadline }
  const id = await enqueue(pool, { owner: 'ingest', kind: 'downlink', payload, requestedBy, deadlineMs }, clock)
  const command = await awaitCommand(pool, { id, clock })
  if (command.state === 'queued') return { command: id.toString(), state: command.state }
  const result = resultOf(command)
  const entered = typeof result === 'object' && result !== null && 'id' in result ? String(result['id']) : ''
  if (!/^\d+$/.test(entered)) throw new AppError('INTERNAL', `command ${id} was entered without a number`)
  return toWire(await getDownlink(pool, surrogateId(entered)), clock)
}

async function targetOf(pool: ApiContext['pool'], { meter, servicePoint, place }: NewDownlink) {
  if ([meter, servicePoint, place].filter((each) => each !== undefined).length !== 1) {
    const message = 'name a meter, a service point or a place: one of them'
    throw new AppError('VALIDATION', message, { problems: [{ path: '/', message }] })
  }
  if (meter !== undefined) return { meterId: (await checkMeter(pool, surrogateId(meter))).toString() }
  if (servicePoint !== undefined) return { servicePointId: (await servicePointOf(pool, servicePoint)).toString() }
  if (place !== undefined) {
    await checkGateway(pool, place.gateway)
    return { place: { ...place } }
  }
  return {}
}

/** One that is overdue is shown as what it will be, also while nobody is there to write it down. */
function toWire(row: DownlinkRow, clock: Clock): Downlink {
  const overdue = row.finished_at === null && clock.now() >= row.deadline + (row.attempts === 0 ? 0 : answerWithinMs)
  return {
    id: row.id.toString(),
    meter: row.meter_id === null ? null : row.meter_id.toString(),
    serial: row.serial,
    servicePoint: row.service_point,
    gateway: row.gateway_id,
    bus: row.bus,
    address: row.address,
    kind: row.kind,
    parameters: row.parameters,
    requestedBy: row.requested_by,
    requestedAt: toIso(row.requested_at),
    deadline: toIso(row.deadline),
    state: overdue ? 'expired' : row.state,
    effect: overdue ? (row.attempts === 0 ? 'none' : 'unclear') : row.effect,
    attempts: row.attempts,
    sentAt: isoOrNull(row.sent_at),
    finishedAt: isoOrNull(row.finished_at),
    result: row.result,
    code: overdue ? 'COMMAND_EXPIRED' : row.error_code,
    message: row.error_message,
    late: lateOf(row)
  }
}

function lateOf({ late_effect: effect, late_code: code, late_message: message, late_at: at }: DownlinkRow): Downlink['late'] {
  return effect === null || at === null ? null : { effect, code, message, receivedAt: toIso(at) }
}
