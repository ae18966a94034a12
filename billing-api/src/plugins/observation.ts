import type { FastifyInstance } from 'fastify'

/** A request that was answered: by the pattern of its route, so that addresses with numbers don't make a series each. */
export interface AnsweredRequest {
  readonly method: string
  readonly route: string
  readonly status: number
  readonly seconds: number
}

/** What no route takes, or what the console's files are: one series for all. */
const noRoute = 'other'

export function registerObservation(app: FastifyInstance, observe: (request: AnsweredRequest) => void): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request
    observe({ method, route: request.routeOptions.url ?? noRoute, status: reply.statusCode, seconds: reply.elapsedTime / 1_000 })
  })
}
