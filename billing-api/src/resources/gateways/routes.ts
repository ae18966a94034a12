import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../context.js'
import { makePassword } from '../../passwords.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { isoOrNull } from '../../wire.js'
import { EnrolledGateway, type Gap, GapList, GatewayList, GatewayParams, type GatewayRow, NewGateway } from './schema.js'
import { addGateways, type GapRow, listGaps, listGateways, type GatewayRow as Row } from './store.js'

const tags = ['gateways']
const mostGaps = 1_000

export async function gatewayRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/gateways',
    {
      config: { access: 'gateways.read' },
      schema: { tags, summary: 'Gateways and what is wrong with them', response: { 200: GatewayList, ...refusals } }
    },
    async () => ({ items: (await listGateways(context.pool)).map(toWire) })
  )

  app.get(
    '/gateways/:id/gaps',
    {
      config: { access: 'gateways.read' },
      schema: { tags, summary: 'Messages of a gateway that are missing', params: GatewayParams, response: { 200: GapList, ...refusals } }
    },
    async (request) => ({ items: (await listGaps(context.pool, request.params.id, mostGaps)).map(gapToWire) })
  )

  app.post(
    '/gateways',
    {
      config: { access: 'gateways.write' },
      schema: {
        tags,
        summary: 'Enrol a gateway; its password is told this once',
        body: NewGateway,
        response: { 201: EnrolledGateway, ...refusals }
      }
    },
    async (request, reply) => {
      const { id, name } = request.body
      const actor = staffOf(request).login
      const password = makePassword()
      await inTransaction(context.pool, async (client) => {
        const { created } = await addGateways(client, [{ id, name, password }])
        if (created === 0) throw new AppError('ALREADY_EXISTS', `the gateway ${id} exists already`)
        await recordAudit(client, { actor, action: 'gateway.enrolled', subjectType: 'gateway', subject: id, details: { name } })
      })
      reply.code(201)
      return { id, password }
    }
  )
}

function toWire(row: Row): GatewayRow {
  return {
    id: row.id,
    name: row.name,
    lastHeardAt: isoOrNull(row.last_heard_at),
    meters: row.meters,
    unassigned: row.unassigned,
    deadLetters: row.dead_letters,
    openGaps: row.open_gaps,
    lostReadings: Number(row.lost_readings)
  }
}

function gapToWire({ epoch, lane, first, last, state, since, readings, reason }: GapRow): Gap {
  const numbers = { first: Number(first), last: Number(last), readings: readings === null ? null : Number(readings) }
  return { epoch, lane: lane === 'backlog' ? lane : 'live', ...numbers, state, since: toIso(since), reason }
}
