import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

/** The description of every route, from the same schemas that requests are held against, and pages to read it on. */
export async function registerOpenApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
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
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true, uiConfig: { docExpansion: 'none' } })
}
