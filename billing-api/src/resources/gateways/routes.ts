import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import type { ApiContext } from '../../context.js'
import { makePassword } from '../../passwords.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { isoOrNull } from '../../wire.js'
import { EnrolledGateway, GatewayList, type GatewayRow, NewGateway } from './schema.js'
import { addGateways, listGateways, type GatewayRow as Row } from './store.js'

const tags = ['gateways']

export async function gatewayRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/gateways',
    {
      config: { access: 'gateways.read' },
      schema: { tags, summary: 'Gateways and what is wrong with them', response: { 200: GatewayList, ...refusals } }
    },
    async () => ({ items: (await listGateways(context.pool)).map(toWire) })
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
    openGaps: row.open_gaps
  }
}
