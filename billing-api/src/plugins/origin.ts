import { AppError } from '@endeks/domain/errors'
import type { FastifyInstance, FastifyRequest } from 'fastify'

const harmless: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/**
 * Refuses a change that another site's page asks for in the name of whoever is signed in here. Browsers say where a request
 * comes from; programs that are none send neither header and have no cookie that somebody else could ride on.
 *
 * @see https://www.w3.org/TR/fetch-metadata/ and RFC 6454
 */
export function registerOriginCheck(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    if (harmless.includes(request.method) || !isForeign(request)) return
    throw new AppError('ORIGIN_FOREIGN', 'a page of another site may not change anything here')
  })
}

function isForeign(request: FastifyRequest): boolean {
  const site = request.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return true
  const origin = request.headers.origin
  if (origin === undefined) return false
  return !URL.canParse(origin) || new URL(origin).host !== request.host
}
