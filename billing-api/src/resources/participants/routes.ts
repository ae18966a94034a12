import { inTransaction } from '@endeks/database/pool'
import { formatMicro } from '@endeks/domain/money'
import { toIso } from '@endeks/domain/time'
import Type from 'typebox'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { defaultLimit, numberKey, pageOf, readCursor } from '../../store/paging.js'
import { refuse } from '../../store/standing.js'
import { today, utilityOf } from '../../store/utility.js'
import { indexOf, isoOrNull, masked, quantityOf } from '../../wire.js'
import { Commodity, strict } from '../shared.js'
import { consumptionOf } from './consumption.js'
import {
  Consumption,
  NewParticipant,
  ParticipantDetail,
  ParticipantPage,
  ParticipantParams,
  ParticipantQuery,
  type ParticipantRow
} from './schema.js'
import { runningMonth } from './store/consumption.js'
import {
  addParticipant,
  getParticipant,
  type ListRow,
  listParticipants,
  type MeterRow,
  metersOf,
  type NewPerson,
  type SubscriptionRow,
  subscriptionsOf
} from './store/participants.js'
import { timelineOf } from './store/timeline.js'
import { taxNumberProblems } from './tax-number.js'

const tags = ['participants']

const ConsumptionQuery = Type.Object(
  {
    months: Type.Optional(Type.Integer({ minimum: 1, maximum: 36, default: 13 })),
    /** that of the oldest subscription by default */
    commodity: Type.Optional(Commodity)
  },
  strict
)

export async function participantRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool, clock } = context

  app.get(
    '/participants',
    {
      config: { access: 'participants.read' },
      schema: { tags, summary: 'Find participants', querystring: ParticipantQuery, response: { 200: ParticipantPage, ...refusals } }
    },
    async (request) => {
      const { search, cursor, limit = defaultLimit } = request.query
      const [after] = readCursor(cursor, [numberKey]) ?? []
      const { zone } = await utilityOf(pool)
      const found = await listParticipants(pool, {
        search,
        after: after === undefined ? undefined : BigInt(after),
        limit,
        today: today(clock, zone)
      })
      const { page, next } = pageOf(found, limit, (row) => [row.registry_no.toString()])
      return { items: page.map(toRow), next }
    }
  )

  app.post(
    '/participants',
    {
      config: { access: 'participants.write' },
      schema: { tags, summary: 'Register a participant', body: NewParticipant, response: { 201: ParticipantDetail, ...refusals } }
    },
    async (request, reply) => {
      const registryNo = await register(context, request.body, staffOf(request).login)
      reply.code(201)
      return detailOf(context, registryNo)
    }
  )

  app.get(
    '/participants/:registryNo',
    {
      config: { access: 'participants.read' },
      schema: { tags, summary: 'One participant', params: ParticipantParams, response: { 200: ParticipantDetail, ...refusals } }
    },
    async (request) => detailOf(context, BigInt(request.params.registryNo))
  )

  app.get(
    '/participants/:registryNo/consumption',
    {
      config: { access: 'participants.read' },
      schema: {
        tags,
        summary: 'Consumption by month',
        params: ParticipantParams,
        querystring: ConsumptionQuery,
        response: { 200: Consumption, ...refusals }
      }
    },
    async (request) =>
      consumptionOf(context, {
        registryNo: BigInt(request.params.registryNo),
        months: request.query.months ?? 13,
        commodity: request.query.commodity
      })
  )
}

async function register(context: ApiContext, person: NewParticipant, actor: string): Promise<bigint> {
  refuse('IDENTIFIER_INVALID', taxNumberProblems('', [person]))
  return inTransaction(context.pool, async (client) => {
    const registryNo = await addParticipant(client, person satisfies NewPerson)
    await recordAudit(client, { actor, action: 'participant.registered', subjectType: 'participant', subject: registryNo.toString() })
    return registryNo
  })
}

async function detailOf(context: ApiContext, registryNo: bigint): Promise<ParticipantDetail> {
  const { pool, clock } = context
  const { zone } = await utilityOf(pool)
  const day = today(clock, zone)
  const row = await getParticipant(pool, registryNo, day)
  const [subscriptions, meters, running, timeline] = await Promise.all([
    subscriptionsOf(pool, row.id),
    metersOf(pool, row.id),
    runningMonth(pool, { participantId: row.id, zone, first: `${day.slice(0, 7)}-01` }),
    timelineOf(pool, row.id, zone)
  ])
  return {
    registryNo: row.registry_no.toString(),
    kind: row.kind,
    name: row.name,
    ownershipStatus: row.ownership_status,
    taxNumber: masked(row.tax_number),
    taxOffice: row.tax_office,
    address: row.address,
    phone: masked(row.phone),
    email: row.email,
    createdAt: toIso(row.created_at),
    debt: formatMicro(row.debt),
    overdue: formatMicro(row.overdue),
    overdueDays: row.overdue_days,
    invoices: row.invoices,
    collections: row.collections,
    subscriptions: subscriptions.map((each) => {
      const month = running.find((amount) => amount.subscription_id === each.id)
      return {
        ...toSubscription(each),
        meters: meters.filter((meter) => meter.subscription_id === each.id).map(toMeter),
        thisMonth: month === undefined ? null : quantityOf(month.amount, month.unit)
      }
    }),
    timeline: timeline.map((event) => ({
      at: toIso(event.at),
      kind: event.kind,
      label: event.label,
      amount: event.amount === null ? null : formatMicro(event.amount),
      ref: event.ref
    }))
  }
}

function toRow(row: ListRow): ParticipantRow {
  return {
    registryNo: row.registry_no.toString(),
    name: row.name,
    ownershipStatus: row.ownership_status,
    properties: row.properties,
    subscriptions: row.subscriptions,
    debt: formatMicro(row.debt),
    overdue: formatMicro(row.overdue)
  }
}

function toSubscription(row: SubscriptionRow): Omit<ParticipantDetail['subscriptions'][number], 'meters' | 'thisMonth'> {
  const { tariff_code: code, tariff_tr: tr, tariff_en: en } = row
  return {
    number: row.number,
    commodity: row.commodity,
    property: row.property ?? '',
    servicePoint: row.service_point ?? '',
    tariff: code === null || tr === null || en === null ? null : { code, name: { tr, en } },
    openedAt: toIso(row.opened_at),
    closedAt: isoOrNull(row.closed_at)
  }
}

function toMeter(row: MeterRow): ParticipantDetail['subscriptions'][number]['meters'][number] {
  const { at, raw, scaler, unit } = row
  const heard = at !== null && raw !== null && scaler !== null && unit !== null
  return {
    id: row.id.toString(),
    serial: row.serial,
    lastReading: heard ? { at: toIso(at), index: indexOf(raw, scaler, unit) } : null
  }
}
