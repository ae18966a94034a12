import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../context.js'
import { surrogateId } from '../../identifiers.js'
import { type ApiServer, noContent, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { defaultLimit, numberKey, pageOf, readCursor } from '../../store/paging.js'
import type { Database } from '../../store/query.js'
import { indexOf, isoOrNull } from '../../wire.js'
import { adoptUnassigned } from './adopt.js'
import { typeIndexes } from './exchange.js'
import { MeterDetail, MeterPage, MeterParams, MeterQuery, NewConnection, NewInstallation, NewMeter } from './schema.js'
import { addConnections } from './store/connections.js'
import { addInstallations, checkServicePoint, dismount } from './store/installations.js'
import {
  addMeters,
  findMeterId,
  getMeter,
  installationsOf,
  listMeters,
  type MeterRow,
  type RegisterRow,
  registersOf
} from './store/meters.js'

const tags = ['meters']

export async function meterRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool } = context

  app.get(
    '/meters',
    {
      config: { access: 'meters.read' },
      schema: { tags, summary: 'Find meters by serial', querystring: MeterQuery, response: { 200: MeterPage, ...refusals } }
    },
    async (request) => {
      const { search, cursor, limit = defaultLimit } = request.query
      const [after] = readCursor(cursor, [numberKey]) ?? []
      const found = await listMeters(pool, { search, after: after === undefined ? undefined : BigInt(after), limit })
      const { page, next } = pageOf(found, limit, (row) => [row.id.toString()])
      return { items: await details(pool, page), next }
    }
  )

  app.get(
    '/meters/:id',
    {
      config: { access: 'meters.read' },
      schema: { tags, summary: 'One meter', params: MeterParams, response: { 200: MeterDetail, ...refusals } }
    },
    async (request) => detailOf(pool, surrogateId(request.params.id))
  )

  app.post(
    '/meters',
    {
      config: { access: 'meters.write' },
      schema: { tags, summary: 'Register a meter', body: NewMeter, response: { 201: MeterDetail, ...refusals } }
    },
    async (request, reply) => {
      const { serial, manufacturer } = request.body
      const actor = staffOf(request).login
      const id = await inTransaction(pool, async (client) => {
        const { created } = await addMeters(client, [request.body])
        if (created === 0) throw new AppError('ALREADY_EXISTS', `the meter ${manufacturer} ${serial} exists already`)
        const meterId = await findMeterId(client, serial, manufacturer)
        await recordAudit(client, { actor, action: 'meter.registered', subjectType: 'meter', subject: meterId.toString() })
        return meterId
      })
      reply.code(201)
      return detailOf(pool, id)
    }
  )

  app.post(
    '/meters/:id/installations',
    {
      config: { access: 'meters.write' },
      schema: {
        tags,
        summary: 'Install a meter; the one that stood there is dismounted at the same instant',
        params: MeterParams,
        body: NewInstallation,
        response: { 201: MeterDetail, ...refusals }
      }
    },
    async (request, reply) => {
      const meter = await getMeter(pool, surrogateId(request.params.id))
      await install(context, meter, request.body, staffOf(request).login)
      reply.code(201)
      return detailOf(pool, meter.id)
    }
  )

  app.post(
    '/connections',
    {
      config: { access: 'meters.write' },
      schema: {
        tags,
        summary: 'Say which place an address on a bus belongs to',
        body: NewConnection,
        response: { 204: noContent, ...refusals }
      }
    },
    async (request, reply) => {
      await connect(context, request.body, staffOf(request).login)
      return reply.code(204).send(null)
    }
  )
}

async function install(context: ApiContext, meter: MeterRow, body: NewInstallation, actor: string): Promise<void> {
  await inTransaction(context.pool, async (client) => {
    await checkServicePoint(client, body.servicePoint)
    const dismounted = await dismount(client, body.servicePoint, body.from)
    const { created } = await addInstallations(client, [{ ...body, meter }], { mayEnd: false })
    if (created === 0) throw new AppError('ALREADY_EXISTS', `the meter ${meter.serial} stands at ${body.servicePoint} since then already`)
    await adoptUnassigned(client, actor, context.clock)
    await typeIndexes(client, { meter, dismounted, body, actor }, context.clock)
    await recordAudit(client, {
      actor,
      action: 'meter.installed',
      subjectType: 'meter',
      subject: meter.id.toString(),
      details: { servicePoint: body.servicePoint, from: body.from, dismounted: dismounted?.serial ?? null }
    })
  })
}

async function connect(context: ApiContext, body: NewConnection, actor: string): Promise<void> {
  const name = `${body.gateway} ${body.bus} ${body.address}`
  await inTransaction(context.pool, async (client) => {
    const { created } = await addConnections(client, [body], { mayEnd: false })
    if (created === 0) throw new AppError('ALREADY_EXISTS', `the connection ${name} exists already`)
    await adoptUnassigned(client, actor, context.clock)
    await recordAudit(client, { actor, action: 'connection.made', subjectType: 'connection', subject: name, details: body })
  })
}

async function detailOf(database: Database, id: bigint | undefined): Promise<MeterDetail> {
  const [detail] = await details(database, [await getMeter(database, id)])
  if (detail === undefined) throw new AppError('METER_NOT_FOUND', 'there is no such meter')
  return detail
}

async function details(database: Database, meters: readonly MeterRow[]): Promise<MeterDetail[]> {
  const ids = meters.map((meter) => meter.id)
  const [registers, installations] = await Promise.all([registersOf(database, ids), installationsOf(database, ids)])
  return meters.map((meter) => ({
    id: meter.id.toString(),
    serial: meter.serial,
    manufacturer: meter.manufacturer,
    model: meter.model,
    medium: meter.medium,
    registers: registers.filter((register) => register.meter_id === meter.id).map(toRegister),
    installations: installations
      .filter((each) => each.meter_id === meter.id)
      .map((each) => ({
        servicePoint: each.service_point,
        property: each.property,
        from: toIso(each.valid_from),
        to: isoOrNull(each.valid_to)
      }))
  }))
}

function toRegister(row: RegisterRow): MeterDetail['registers'][number] {
  const { at, raw, scaler, unit } = row
  const heard = at !== null && raw !== null && scaler !== null && unit !== null
  return {
    id: row.id.toString(),
    obis: row.obis,
    digits: row.digits,
    billed: row.billed,
    lastReading: heard ? { at: toIso(at), index: indexOf(raw, scaler, unit) } : null
  }
}
