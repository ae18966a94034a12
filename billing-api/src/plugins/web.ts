import { existsSync } from 'node:fs'
import { join, sep } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isApi, isDocs } from './headers.js'
import { routeUnknown, sendProblem } from './problems.js'

const yearSeconds = 31_536_000

/**
 * The console's files, and its page for every address that is its own: the console reads the address itself, so a link into
 * it must open it. Files with a hash in their name never change; everything else is asked for again.
 */
export async function registerWeb(app: FastifyInstance, webRoot: string | undefined): Promise<void> {
  const root = webRoot !== undefined && existsSync(join(webRoot, 'index.html')) ? webRoot : undefined
  if (root !== undefined) {
    await app.register(fastifyStatic, {
      root,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const hashed = path.startsWith(`${join(root, 'assets')}${sep}`)
        reply.header('cache-control', hashed ? `public, max-age=${yearSeconds}, immutable` : 'no-cache')
      }
    })
  }
  app.setNotFoundHandler((request, reply) => {
    if (root !== undefined && wantsPage(request)) return page(reply)
    return sendProblem(routeUnknown(request), request, reply)
  })
}

function page(reply: FastifyReply): FastifyReply {
  return reply.code(200).sendFile('index.html')
}

/** An address of the console: read with GET, not the API's, and no file that is missing. */
function wantsPage(request: FastifyRequest): boolean {
  if ((request.method !== 'GET' && request.method !== 'HEAD') || isApi(request.url) || isDocs(request.url)) return false
  const path = request.url.split('?', 1)[0] ?? ''
  return !path.startsWith('/assets/') && !/\.[A-Za-z0-9]+$/.test(path)
}
