import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { fastify } from 'fastify'
import type { ApiContext } from './context.js'
import { registerSecurityHeaders } from './plugins/headers.js'
import { type AnsweredRequest, registerObservation } from './plugins/observation.js'
import { registerOpenApi } from './plugins/openapi.js'
import { registerOriginCheck } from './plugins/origin.js'
import { frameworkError, newRequestId, registerProblems } from './plugins/problems.js'
import type { ApiServer } from './plugins/routing.js'
import { registerAccess } from './plugins/session.js'
import { registerValidation } from './plugins/validation.js'
import { registerWeb } from './plugins/web.js'
import { billRunRoutes } from './resources/bill-runs/routes.js'
import { collectionRoutes } from './resources/collections/routes.js'
import { documentRoutes } from './resources/documents/routes.js'
import { downlinkRoutes } from './resources/downlinks/routes.js'
import { gatewayMappingRoutes } from './resources/gateway-mappings/routes.js'
import { gatewayRoutes } from './resources/gateways/routes.js'
import { importRoutes } from './resources/imports/routes.js'
import { invoiceRoutes } from './resources/invoices/routes.js'
import { meterKeyRoutes } from './resources/meter-keys/routes.js'
import { meterRoutes } from './resources/meters/routes.js'
import { overviewRoutes } from './resources/overview/routes.js'
import { participantRoutes } from './resources/participants/routes.js'
import { readingRoutes } from './resources/readings/routes.js'
import { servicePointRoutes } from './resources/service-points/routes.js'
import { type SessionOptions, sessionRoutes } from './resources/session/routes.js'
import { subscriptionRoutes } from './resources/subscriptions/routes.js'
import { tariffRoutes } from './resources/tariffs/routes.js'

export interface AppOptions extends SessionOptions {
  /** the built console; nothing is served at / without it */
  readonly webRoot?: string
  /** told of each answered request */
  readonly observe?: (request: AnsweredRequest) => void
}

const largestBody = 1_024 * 1_024
/** A client that sends its request slower than this is not one of ours. */
const requestWithinMs = 60_000
const longestParameter = 200

/** One line a resource. */
const resources = [
  overviewRoutes,
  participantRoutes,
  subscriptionRoutes,
  servicePointRoutes,
  meterRoutes,
  meterKeyRoutes,
  readingRoutes,
  tariffRoutes,
  billRunRoutes,
  invoiceRoutes,
  collectionRoutes,
  documentRoutes,
  gatewayRoutes,
  gatewayMappingRoutes,
  downlinkRoutes,
  importRoutes
] as const

/** The server with all its routes, not listening yet. */
export async function buildApp(context: ApiContext, options: AppOptions): Promise<ApiServer> {
  const app = fastify({
    logger: false,
    bodyLimit: largestBody,
    requestTimeout: requestWithinMs,
    genReqId: newRequestId,
    requestIdHeader: false,
    frameworkErrors: frameworkError,
    routerOptions: { maxParamLength: longestParameter }
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.removeContentTypeParser('text/plain')
  registerProblems(app, context.log)
  if (options.observe !== undefined) registerObservation(app, options.observe)
  registerSecurityHeaders(app)
  registerValidation(app)
  await app.register(cookie)
  await app.register(rateLimit, { global: false })
  await registerOpenApi(app)
  await app.register(async (api: ApiServer) => registerApi(api, context, options), { prefix: '/api' })
  await registerWeb(app, options.webRoot)
  await app.ready()
  return app
}

/** Everything below /api: who asks and from where is settled before any of it. */
async function registerApi(api: ApiServer, context: ApiContext, options: AppOptions): Promise<void> {
  registerOriginCheck(api)
  registerAccess(api, context)
  await sessionRoutes(api, context, options)
  for (const routes of resources) await routes(api, context)
}
