import { AppError } from '@endeks/domain/errors'
import '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import type { ApiContext } from '../../context.js'
import { hashPassword, isPassword, makePassword } from '../../passwords.js'
import { type ApiServer, noContent, refusals } from '../../plugins/routing.js'
import { clearSessionCookie, sessionCookie, setSessionCookie, staffOf } from '../../plugins/session.js'
import { rightsOf } from '../../rights.js'
import { recordAudit } from '../../store/audit.js'
import { Login, SessionUser } from './schema.js'
import { closeSession, findCredentials, normalLogin, openSession, type StaffUser, sessionHours } from './store.js'

export interface SessionOptions {
  /** sign-ins that one address may try for one login in a minute, right or wrong */
  readonly loginsPerMinute: number
  /** whether the cookie is sent over TLS only: true wherever the server is reached over a network */
  readonly secureCookies: boolean
}

/** One address may try several logins, as offices share one, but not a dictionary of them. */
const loginsOfOneAddress = 10
const tags = ['session']

export async function sessionRoutes(app: ApiServer, context: ApiContext, options: SessionOptions): Promise<void> {
  // What an unknown user's password is held against, so that the answer takes as long as for a known one.
  const nobody = await hashPassword(makePassword())
  const checkLimits = loginLimits(app, options)

  app.post(
    '/session',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Sign in', security: [], body: Login, response: { 200: SessionUser, ...refusals } }
    },
    async (request, reply) => {
      await checkLimits(request)
      const user = await findCredentials(context.pool, request.body.login)
      const right = await isPassword(user?.passwordHash ?? nobody, request.body.password)
      if (user === undefined || !right) throw new AppError('LOGIN_WRONG', 'the login or the password is wrong')
      const token = await openSession(context.pool, user.id, context.clock)
      await recordAudit(context.pool, { actor: user.login, action: 'session.opened', subjectType: 'user', subject: user.login })
      setSessionCookie(reply, token, sessionHours * 3_600, options.secureCookies)
      return toWire(user)
    }
  )

  app.get(
    '/session',
    { config: { access: 'signed-in' }, schema: { tags, summary: 'Who is signed in', response: { 200: SessionUser, ...refusals } } },
    async (request) => toWire(staffOf(request))
  )

  app.delete(
    '/session',
    { config: { access: 'signed-in' }, schema: { tags, summary: 'Sign out', response: { 204: noContent, ...refusals } } },
    async (request, reply) => {
      await closeSession(context.pool, request.cookies[sessionCookie] ?? '')
      clearSessionCookie(reply)
      return reply.code(204).send(null)
    }
  )
}

function loginLimits(app: ApiServer, options: SessionOptions): (request: FastifyRequest) => Promise<void> {
  const oneLogin = app.createRateLimit({ max: options.loginsPerMinute, timeWindow: 60_000, keyGenerator: loginKey })
  const oneAddress = app.createRateLimit({
    max: options.loginsPerMinute * loginsOfOneAddress,
    timeWindow: 60_000,
    keyGenerator: (request) => request.ip
  })
  return async (request) => {
    for (const limit of [await oneLogin(request), await oneAddress(request)]) {
      if (!limit.isAllowed && limit.isExceeded) {
        throw new AppError('LOGIN_TOO_MANY', `too many sign-ins were tried; try again in ${limit.ttlInSeconds} seconds`)
      }
    }
  }
}

function loginKey(request: FastifyRequest): string {
  const body: unknown = request.body
  const login = typeof body === 'object' && body !== null && 'login' in body && typeof body.login === 'string' ? body.login : ''
  return `${request.ip} ${normalLogin(login)}`
}

function toWire(user: StaffUser): SessionUser {
  return { login: user.login, name: user.name, role: user.role, rights: rightsOf(user.role) }
}
