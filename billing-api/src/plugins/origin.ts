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
  if (!URL.canParse(origin)) return true
  const { host, protocol } = new URL(origin)
  // Read by the same rules, so that a port which is the scheme's own counts for nothing on either side.
  const ours = `${protocol}//${request.host}`
  return !URL.canParse(ours) || new URL(ours).host !== host
}
