import { inTransaction, type PoolClient } from '@endeks/database/pool'
import type { ApiContext } from '../../context.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import { recordAudit } from '../../store/audit.js'
import { type Outcome, refuse } from '../../store/standing.js'
import { addGateways } from '../gateways/store.js'
import { adoptUnassigned } from '../meters/adopt.js'
import { addConnections } from '../meters/store/connections.js'
import { addInstallations } from '../meters/store/installations.js'
import { addMeters } from '../meters/store/meters.js'
import { addParticipants } from '../participants/store/import.js'
import { taxNumberProblems } from '../participants/tax-number.js'
import { addServicePoints } from '../service-points/store.js'
import { addSubscriptions } from '../subscriptions/store/add.js'
import { addTariffs } from '../tariffs/store.js'
import { kdvProblems } from './kdv.js'
import { ImportResult, SiteImport } from './schema.js'
import { addParameters, lockImports, saveUtility } from './store.js'
import { currencyProblems, identifierProblems, seriesProblems } from './utility.js'

const largestBody = 50 * 1_024 * 1_024

export async function importRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.put(
    '/site',
    {
      config: { access: 'site.import' },
      bodyLimit: largestBody,
      schema: {
        tags: ['site'],
        summary: 'Import a whole site by natural keys: all of it or nothing, and the same again changes nothing',
        body: SiteImport,
        response: { 200: ImportResult, ...refusals }
      }
    },
    async (request) => importSite(context, request.body, staffOf(request).login)
  )
}

async function importSite(context: ApiContext, site: SiteImport, actor: string): Promise<ImportResult> {
  refuse('VALIDATION', kdvProblems(site.parameters))
  refuse('VALIDATION', [...seriesProblems(site.utility), ...currencyProblems(site)])
  refuse('IDENTIFIER_INVALID', [...identifierProblems(site.utility), ...taxNumberProblems('/participants', site.participants)])
  return inTransaction(context.pool, async (client) => {
    await lockImports(client)
    const outcomes = await addAll(client, site, actor)
    const created = counts(outcomes, 'created')
    const unchanged = counts(outcomes, 'unchanged')
    const places = ['meters', 'installations', 'connections'].some((name) => (created[name] ?? 0) > 0)
    if (places) await adoptUnassigned(client, actor, context.clock)
    if (Object.values(created).some((count) => count > 0)) {
      await recordAudit(client, { actor, action: 'site.imported', subjectType: 'site', subject: site.utility.name, details: created })
    }
    return { created, unchanged }
  })
}

/** In the order in which one needs the other. */
async function addAll(client: PoolClient, site: SiteImport, actor: string): Promise<Record<string, Outcome>> {
  return {
    utility: await saveUtility(client, { ...site.utility, iban: site.utility.iban ?? null }),
    parameters: await addParameters(client, site.parameters),
    tariffs: await addTariffs(client, site.tariffs, actor),
    gateways: await addGateways(client, site.gateways),
    participants: await addParticipants(client, site.participants),
    servicePoints: await addServicePoints(client, site.servicePoints),
    meters: await addMeters(client, site.meters),
    installations: await addInstallations(client, site.installations, { mayEnd: true }),
    connections: await addConnections(client, site.connections, { mayEnd: true }),
    subscriptions: await addSubscriptions(client, site.subscriptions, site.utility.zone)
  }
}

function counts(outcomes: Readonly<Record<string, Outcome>>, of: keyof Outcome): Record<string, number> {
  return Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, outcome[of]]))
}
