import { inTransaction } from '@endeks/database/pool'
import { AppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import { unmappedIn } from '@endeks/ingest/formats'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { keyOf } from '../../store/standing.js'
import { checkMapping } from './check.js'
import { GatewayMapping, MappingParams, NewGatewayMapping, UnmappedKeyList } from './schema.js'
import { lockGateway, readMapping, replaceMapping, unmappedLetters } from './store.js'

const tags = ['gateways']
/** Of the fullest mapping; what is not ASCII takes more in JSON. */
const largestMapping = 8 * 1_048_576
/** Refused messages that are read for one list, of 64 KB at most each, and how many keys are shown. */
const mostLetters = 50
const mostUnmapped = 500

export async function gatewayMappingRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/gateways/:id/mapping',
    {
      config: { access: 'gateways.read' },
      schema: {
        tags,
        summary: "What is entered for another maker's gateway: its language, its keys' registers, its devices' meters",
        params: MappingParams,
        response: { 200: GatewayMapping, ...refusals }
      }
    },
    async (request) => readMapping(context.pool, request.params.id)
  )

  app.put(
    '/gateways/:id/mapping',
    {
      config: { access: 'gateways.write' },
      bodyLimit: largestMapping,
      schema: {
        tags,
        summary: 'Replace what is entered for a gateway: all of it or nothing; evidence keeps what it was read with',
        params: MappingParams,
        body: NewGatewayMapping,
        response: { 200: GatewayMapping, ...refusals }
      }
    },
    async (request) => replace(context, request.params.id, request.body, staffOf(request).login)
  )

  app.get(
    '/gateways/:id/unmapped-keys',
    {
      config: { access: 'gateways.read' },
      schema: {
        tags,
        summary: 'Keys of lately refused messages of which nobody has said yet what they are',
        params: MappingParams,
        response: { 200: UnmappedKeyList, ...refusals }
      }
    },
    async (request) => unmappedKeys(context, request.params.id)
  )
}

async function replace(context: ApiContext, gateway: string, given: NewGatewayMapping, actor: string): Promise<GatewayMapping> {
  const wanted = checkMapping(given)
  return inTransaction(context.pool, async (client) => {
    await lockGateway(client, gateway)
    const standing = await readMapping(client, gateway)
    if (given.replaces !== undefined && given.replaces !== standing.version) {
      throw new AppError(
        'MAPPING_CHANGED',
        `somebody else has changed what is entered for ${gateway}: read it again and repeat your change`
      )
    }
    const { added, removed } = await replaceMapping(client, gateway, wanted)
    const entered = await readMapping(client, gateway)
    if (entered.version !== standing.version) {
      const details = { format: entered.format, added, removed, replaced: standing.version, version: entered.version }
      await recordAudit(client, { actor, action: 'gateway.mapped', subjectType: 'gateway', subject: gateway, details })
    }
    return entered
  })
}

async function unmappedKeys(context: ApiContext, gateway: string): Promise<UnmappedKeyList> {
  const mapping = await readMapping(context.pool, gateway)
  const letters = await unmappedLetters(context.pool, gateway, mostLetters)
  const latest = new Map<string, UnmappedKeyList['items'][number]>()
  for (const letter of letters) {
    for (const { unit = null, ...each } of unmappedIn(letter, mapping)) {
      const name = keyOf(each.device, each.key)
      if (latest.size < mostUnmapped && !latest.has(name)) latest.set(name, { ...each, unit, heardAt: toIso(letter.receivedAt) })
    }
  }
  return { items: [...latest.values()], messages: letters.length }
}
