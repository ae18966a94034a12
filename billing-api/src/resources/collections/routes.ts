import { inTransaction } from '@endeks/database/pool'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { onceOnly } from '../../store/idempotency.js'
import { dateKey, defaultLimit, numberKey, pageOf, readCursor } from '../../store/paging.js'
import { toWire } from './present.js'
import { Collection, CollectionPage, CollectionParams, CollectionQuery, IdempotencyHeaders, NewCollection } from './schema.js'
import { getCollection, listCollections, settledBy } from './store/list.js'
import { takeCollection } from './take.js'

const tags = ['collections']

export async function collectionRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool, clock } = context

  app.post(
    '/collections',
    {
      config: { access: 'collections.take' },
      schema: {
        tags,
        summary: 'Take money for open invoices; the same key again gives the same receipt',
        headers: IdempotencyHeaders,
        body: NewCollection,
        response: { 201: Collection, ...refusals }
      }
    },
    async (request, reply) => {
      const user = staffOf(request)
      const collection = request.body
      const key = request.headers['idempotency-key']
      const { answer, repeated } = await inTransaction(pool, (client) =>
        onceOnly(client, { key, userId: user.id, request: { route: 'POST /api/collections', collection } }, () =>
          takeCollection(client, { collection, actor: user.login, clock })
        )
      )
      if (repeated) reply.header('idempotent-replayed', 'true')
      reply.code(201)
      return answer
    }
  )

  app.get(
    '/collections',
    {
      config: { access: 'collections.read' },
      schema: { tags, summary: 'Collections, newest first', querystring: CollectionQuery, response: { 200: CollectionPage, ...refusals } }
    },
    async (request) => {
      const { participant, date, cursor, limit = defaultLimit } = request.query
      const [day, id] = readCursor(cursor, [dateKey, numberKey]) ?? []
      const found = await listCollections(pool, {
        participant: participant === undefined ? undefined : BigInt(participant),
        date,
        after: day === undefined || id === undefined ? undefined : { date: day, id: BigInt(id) },
        limit
      })
      const { page, next } = pageOf(found, limit, (row) => [row.issue_date, row.id.toString()])
      const settled = await settledBy(
        pool,
        page.map((row) => row.id)
      )
      return { items: page.map((row) => toWire(row, settled)), next }
    }
  )

  app.get(
    '/collections/:id',
    {
      config: { access: 'collections.read' },
      schema: {
        tags,
        summary: 'One collection, by id or receipt number',
        params: CollectionParams,
        response: { 200: Collection, ...refusals }
      }
    },
    async (request) => collectionDetail(context, request.params.id)
  )
}

/** One collection as its page and its receipt show it. @throws {AppError} COLLECTION_NOT_FOUND */
export async function collectionDetail({ pool }: ApiContext, reference: string): Promise<Collection> {
  const row = await getCollection(pool, reference)
  return toWire(row, await settledBy(pool, [row.id]))
}
