import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { defaultLimit, pageOf, readCursor, textKey } from '../../store/paging.js'
import type { Database } from '../../store/query.js'
import { utilityOf } from '../../store/utility.js'
import { isoOrNull } from '../../wire.js'
import { NewSubscription, SubscriptionDetail, SubscriptionPage, SubscriptionParams, SubscriptionQuery } from './schema.js'
import { addSubscriptions } from './store/add.js'
import { getSubscription, listSubscriptions, type SubscriptionRow, suppliesOf, tariffsOf } from './store/list.js'

const tags = ['subscriptions']

export async function subscriptionRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool } = context

  app.get(
    '/subscriptions',
    {
      config: { access: 'subscriptions.read' },
      schema: { tags, summary: 'Subscriptions', querystring: SubscriptionQuery, response: { 200: SubscriptionPage, ...refusals } }
    },
    async (request) => {
      const { participant, cursor, limit = defaultLimit } = request.query
      const [after] = readCursor(cursor, [textKey]) ?? []
      const found = await listSubscriptions(pool, {
        participant: participant === undefined ? undefined : BigInt(participant),
        after,
        limit
      })
      const { page, next } = pageOf(found, limit, (row) => [row.number])
      return { items: await details(pool, page), next }
    }
  )

  app.get(
    '/subscriptions/:number',
    {
      config: { access: 'subscriptions.read' },
      schema: { tags, summary: 'One subscription', params: SubscriptionParams, response: { 200: SubscriptionDetail, ...refusals } }
    },
    async (request) => detailOf(pool, request.params.number)
  )

  app.post(
    '/subscriptions',
    {
      config: { access: 'subscriptions.write' },
      schema: { tags, summary: 'Open a subscription', body: NewSubscription, response: { 201: SubscriptionDetail, ...refusals } }
    },
    async (request, reply) => {
      const { body } = request
      const actor = staffOf(request).login
      await inTransaction(pool, async (client) => {
        const { zone } = await utilityOf(client)
        const { created } = await addSubscriptions(client, [body], zone)
        if (created === 0) throw new AppError('ALREADY_EXISTS', `the subscription ${body.number} exists already`)
        await recordAudit(client, {
          actor,
          action: 'subscription.opened',
          subjectType: 'subscription',
          subject: body.number,
          details: body
        })
      })
      reply.code(201)
      return detailOf(pool, body.number)
    }
  )
}

async function detailOf(database: Database, number: string): Promise<SubscriptionDetail> {
  const [detail] = await details(database, [await getSubscription(database, number)])
  if (detail === undefined) throw new AppError('SUBSCRIPTION_NOT_FOUND', `there is no subscription ${number}`)
  return detail
}

async function details(database: Database, subscriptions: readonly SubscriptionRow[]): Promise<SubscriptionDetail[]> {
  const ids = subscriptions.map((row) => row.id)
  const [tariffs, supplies] = await Promise.all([tariffsOf(database, ids), suppliesOf(database, ids)])
  return subscriptions.map((row) => ({
    number: row.number,
    contract: row.contract,
    participant: { registryNo: row.registry_no.toString(), name: row.name },
    commodity: row.commodity,
    route: row.route,
    openedAt: toIso(row.opened_at),
    closedAt: isoOrNull(row.closed_at),
    tariffs: tariffs
      .filter((tariff) => tariff.subscription_id === row.id)
      .map((tariff) => ({ code: tariff.code, from: toIso(tariff.valid_from), to: isoOrNull(tariff.valid_to) })),
    supplies: supplies
      .filter((supply) => supply.subscription_id === row.id)
      .map((supply) => ({
        servicePoint: supply.service_point,
        sign: supply.sign,
        share: `${supply.share_numerator}/${supply.share_denominator}`,
        from: toIso(supply.valid_from),
        to: isoOrNull(supply.valid_to)
      }))
  }))
}
