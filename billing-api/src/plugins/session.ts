import '@fastify/cookie'
import { AppError } from '@endeks/domain/errors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ApiContext } from '../context.js'
import { findSession, type StaffUser } from '../resources/session/store.js'
import { type Access, isAccess, mayDo } from '../rights.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** what the route asks of its caller; a route that does not say is refused at the start */
    access?: Access
  }
  interface FastifyRequest {
    staff: StaffUser | null
  }
}

export const sessionCookie = 'endeks_session'
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

/**
 * Who is asking, and whether they may: before a body is read. Denies unless the route's own declaration allows, and does not
 * let a route start that declares nothing.
 */
export function registerAccess(app: FastifyInstance, context: ApiContext): void {
  app.decorateRequest('staff', null)
  app.addHook('onRoute', (route) => {
    if (isAccess(route.config?.access)) return
    throw new AppError('INTERNAL', `the route ${String(route.method)} ${route.url} does not declare the right it needs`)
  })
  app.addHook('onRequest', async (request) => {
    if (request.is404) return
    const { access } = request.routeOptions.config
    if (access === 'public') return
    const token = request.cookies[sessionCookie]
    request.staff = token === undefined || !tokenPattern.test(token) ? null : await findSession(context.pool, token, context.clock)
    if (request.staff === null) throw new AppError('NOT_SIGNED_IN', 'sign in first; a session ends after twelve hours')
    if (access === 'signed-in') return
    if (access === undefined || !mayDo(request.staff.role, access)) {
      throw new AppError('RIGHT_MISSING', `this needs the right "${access ?? 'none'}"`, { right: access })
    }
  })
}

/** The user of a route that is not public. */
export function staffOf(request: FastifyRequest): StaffUser {
  if (request.staff === null) throw new AppError('NOT_SIGNED_IN', 'sign in first')
  return request.staff
}

export function setSessionCookie(reply: FastifyReply, token: string, maxAgeSeconds: number, secure: boolean): void {
  reply.setCookie(sessionCookie, token, { path: '/', httpOnly: true, sameSite: 'strict', secure, maxAge: maxAgeSeconds })
}

export function clearSessionCookie(reply: FastifyReply): void {
  reply.clearCookie(sessionCookie, { path: '/' })
}
