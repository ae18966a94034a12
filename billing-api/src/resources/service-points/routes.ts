import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { defaultLimit, pageOf, readCursor, textKey } from '../../store/paging.js'
import { NewServicePoint, ServicePoint, ServicePointPage, ServicePointQuery } from './schema.js'
import { addServicePoints, listServicePoints, type ServicePointRow } from './store.js'

const tags = ['service points']

export async function servicePointRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/service-points',
    {
      config: { access: 'service-points.read' },
      schema: { tags, summary: 'All service points', querystring: ServicePointQuery, response: { 200: ServicePointPage, ...refusals } }
    },
    async (request) => {
      const { cursor, limit = defaultLimit } = request.query
      const [after] = readCursor(cursor, [textKey]) ?? []
      const { page, next } = pageOf(await listServicePoints(context.pool, after, limit), limit, (row) => [row.code])
      return { items: page.map(toWire), next }
    }
  )

  app.post(
    '/service-points',
    {
      config: { access: 'service-points.write' },
      schema: { tags, summary: 'Register a service point', body: NewServicePoint, response: { 201: ServicePoint, ...refusals } }
    },
    async (request, reply) => {
      const { body } = request
      const actor = staffOf(request).login
      await inTransaction(context.pool, async (client) => {
        const { created } = await addServicePoints(client, [body])
        if (created === 0) throw new AppError('ALREADY_EXISTS', `the service point ${body.code} exists already`)
        await recordAudit(client, { actor, action: 'service-point.registered', subjectType: 'service-point', subject: body.code })
      })
      reply.code(201)
      return { ...body, meter: null }
    }
  )
}

function toWire(row: ServicePointRow): ServicePoint {
  const { meter_id: id, serial } = row
  return {
    code: row.code,
    commodity: row.commodity,
    property: { kind: row.kind, label: row.label },
    meter: id === null || serial === null ? null : { id: id.toString(), serial }
  }
}
