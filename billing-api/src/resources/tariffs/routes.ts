import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { Published, PublishTariff, TariffDetail, TariffList, TariffParams, type TariffRow } from './schema.js'
import { addTariffs, listVersions, newestDocument, tariffHash, type VersionRow } from './store.js'

const tags = ['tariffs']

export async function tariffRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  const { pool } = context

  app.get(
    '/tariffs',
    {
      config: { access: 'tariffs.read' },
      schema: { tags, summary: 'All tariffs with their versions', response: { 200: TariffList, ...refusals } }
    },
    async () => ({ items: toWire(await listVersions(pool)) })
  )

  app.get(
    '/tariffs/:code',
    {
      config: { access: 'tariffs.read' },
      schema: { tags, summary: 'One tariff with its newest document', params: TariffParams, response: { 200: TariffDetail, ...refusals } }
    },
    async (request) => {
      const { code } = request.params
      const document = await newestDocument(pool, code)
      const [tariff] = toWire(await listVersions(pool, code))
      if (tariff === undefined) throw new AppError('TARIFF_NOT_FOUND', `there is no tariff ${code}`)
      return { ...tariff, document }
    }
  )

  app.post(
    '/tariffs',
    {
      config: { access: 'tariffs.publish' },
      schema: {
        tags,
        summary: 'Publish a version; its worked examples must come out',
        body: PublishTariff,
        response: { 201: Published, ...refusals }
      }
    },
    async (request, reply) => {
      const published = await publish(context, request.body.document, staffOf(request).login)
      reply.code(201)
      return published
    }
  )
}

async function publish(context: ApiContext, document: unknown, actor: string): Promise<Published> {
  return inTransaction(context.pool, async (client) => {
    const { created } = await addTariffs(client, [document], actor).catch(withOwnPaths)
    const { code, version } = document as { readonly code: string; readonly version: string }
    if (created === 0) throw new AppError('ALREADY_EXISTS', `the tariff ${code} ${version} is published already`)
    const hash = tariffHash(document)
    await recordAudit(client, { actor, action: 'tariff.published', subjectType: 'tariff', subject: code, details: { version, hash } })
    return { code, version, hash }
  })
}

/** Paths of one document start at it, not at a list of tariffs that the caller did not send. */
function withOwnPaths(thrown: unknown): never {
  if (!(thrown instanceof AppError) || !Array.isArray(thrown.details['problems'])) throw thrown
  const problems = thrown.details['problems'].map((problem: { path: string; message: string }) => ({
    path: problem.path.replace(/^\/tariffs\/0/, '/document'),
    message: problem.message
  }))
  throw new AppError(thrown.code, thrown.message.replace('/tariffs/0', '/document'), { problems }, thrown)
}

function toWire(versions: readonly VersionRow[]): TariffRow[] {
  const tariffs = new Map<string, TariffRow>()
  for (const row of versions) {
    const tariff = tariffs.get(row.code) ?? {
      code: row.code,
      name: { tr: row.name_tr, en: row.name_en },
      subscriptions: row.subscriptions,
      versions: []
    }
    tariff.versions.push({
      version: row.version,
      validFrom: row.valid_from,
      hash: row.hash,
      publishedAt: toIso(row.published_at),
      publishedBy: row.published_by
    })
    tariffs.set(row.code, tariff)
  }
  return [...tariffs.values()]
}
