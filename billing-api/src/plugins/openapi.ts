import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { Problem } from '../resources/shared.js'

/** As for the console; the pages bring no inline script. No upgrade to TLS either, as on loopback there is none. */
const pagesPolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** The description of every route, from the same schemas that requests are held against, and pages to read it on. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  app.addSchema({ ...Problem, $id: 'Problem' })
  await app.register(swagger, {
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) => (typeof schema['$id'] === 'string' ? schema['$id'] : `def-${index}`)
    },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Endeks',
        version: '0.1.0',
        description:
          'Accounts, readings, bill runs, invoices, collections, explanations. Money and quantities are decimal strings; instants carry their zone. Sign in with POST /api/session; every refusal is a problem document (RFC 9457) with a code that does not change.'
      },
      components: { securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'endeks_session' } } },
      security: [{ session: [] }]
    }
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: pagesPolicy, uiConfig: { docExpansion: 'none' } })
}
