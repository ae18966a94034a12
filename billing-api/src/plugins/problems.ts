import { randomBytes } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { AppError, asError, catalogue, type ErrorCode } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../resources/shared.js'
import { headersFor } from './headers.js'

/** SQLSTATEs of the ledger's functions and of constraints that a caller can run into, as our codes with our words. */
const sqlStates: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EN001: ['LEDGER_UNBALANCED', 'the postings do not balance; nothing was written'],
  EN002: ['PERIOD_CLOSED', 'the period of account is closed; nothing is posted into it any more'],
  EN003: ['RUN_STATE', 'the series has a document of a later date already; dates never go back as numbers rise'],
  EN004: ['RUN_STATE', 'the series went on since the run took its numbers; abandon the run and start another'],
  EN005: ['RUN_IN_PROGRESS', 'the series is leased to a bill run; wait until it is issued or abandoned'],
  EN006: ['INVOICE_NOT_FOUND', 'an invoice is not one of this participant'],
  EN007: ['COLLECTION_TOO_MUCH', 'an invoice has less left to pay than that; look at what is open and try again'],
  '23P01': ['FACT_OVERLAPS', 'this overlaps what already holds for the same time; end that first'],
  '23505': ['ALREADY_EXISTS', 'one with the same key exists already'],
  '57014': ['TIMEOUT', 'the database took too long and the statement was cancelled; nothing was changed'],
  '40001': ['TIMEOUT', 'another change came in between; try again'],
  '40P01': ['TIMEOUT', 'another change came in between; try again'],
  '55P03': ['TIMEOUT', 'another change holds a lock; try again']
}
/** Connection exceptions, a server that shuts down or starts, and what the socket says. */
const unreachable = /^(08...|57P0[123]|53300|ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|ETIMEDOUT)$/

/** Fastify's own refusals, before a route is reached. */
const fastifyCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'the body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['VALIDATION', 'the body must be JSON: send content-type application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['VALIDATION', 'the body is empty and must be JSON'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['VALIDATION', 'the body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['VALIDATION', 'the body is not as long as its content-length says'],
  FST_ERR_BAD_URL: ['ROUTE_UNKNOWN', 'the address can not be read'],
  FST_ERR_MAX_PARAM_LENGTH: ['ROUTE_UNKNOWN', 'a part of the address is longer than any of ours']
}

/** What a 5xx tells its caller: our own text may carry a path, a statement or a figure that is none of theirs. */
const internalText = 'something went wrong on our side and was logged under this request number'
const mostProblems = 100

export function newRequestId(): string {
  return randomBytes(5).toString('hex').toUpperCase()
}

/** Every error becomes one problem document with a code of the catalogue; the log keeps what the caller is not told. */
export function registerProblems(app: FastifyInstance, log: Log): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = toAppError(thrown)
    if (error.status >= 500) {
      log.error('request failed', {
        requestId: request.id,
        method: request.method,
        route: request.routeOptions.url,
        code: error.code,
        message: error.message,
        cause: asError(thrown).message,
        stack: asError(thrown).stack
      })
    }
    return sendProblem(error, request, reply)
  })
}

/** What fails before there is a route, such as an address that can not be decoded: no hook has run for it. */
export function frameworkError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(headersFor(request.url)).header('x-request-id', request.id)
  sendProblem(toAppError(thrown), request, reply)
}

export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(error.status).type('application/problem+json').send(toProblem(error, request.id))
}

/** Routes carry no secrets, but they can be long: what was asked for is told in part. */
export function routeUnknown(request: FastifyRequest): AppError {
  return new AppError('ROUTE_UNKNOWN', `there is no ${request.method} ${request.url.slice(0, 100)}`)
}

export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown
  const error = asError(thrown)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const known = sqlStates[code] ?? fastifyCodes[code]
  if (known !== undefined) return new AppError(known[0], known[1], {}, error)
  // Class 22: a value that no column can hold, such as a day that no calendar has. Schemas stop them; this is the second line.
  if (/^22...$/.test(code)) return new AppError('VALIDATION', 'a value is outside of what can be stored', {}, error)
  if (unreachable.test(code)) return new AppError('DATABASE_UNREACHABLE', 'the database does not answer', {}, error)
  return refusalOf(error) ?? new AppError('INTERNAL', error.message, {}, error)
}

/** Node's parser of JSON and plugins name their refusals by status only. */
function refusalOf(error: Error): AppError | undefined {
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
  if (status < 400 || status > 499) return undefined
  // What serves files says by 403 that an address leaves its folder. Nothing of ours is there either way.
  if (status === 403 || status === 404) return new AppError('ROUTE_UNKNOWN', 'there is nothing at this address', {}, error)
  return new AppError('VALIDATION', 'the request can not be read', {}, error)
}

function toProblem(error: AppError, requestId: string): Problem {
  const ours = error.code === 'INTERNAL' || error.code === 'COMMAND_FAILED' || error.code === 'CONFIG_INVALID'
  const problems = ours ? undefined : problemsIn(error.details['problems'])
  return {
    type: `urn:endeks:problem:${error.code}`,
    title: STATUS_CODES[catalogue[error.code].status] ?? error.code,
    status: error.status,
    code: error.code,
    detail: ours ? internalText : error.message,
    requestId,
    ...(problems === undefined ? {} : { problems })
  }
}

function problemsIn(value: unknown): { path: string; message: string }[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.slice(0, mostProblems).map((each: unknown) => {
    const given = typeof each === 'object' && each !== null ? each : {}
    return {
      path: 'path' in given && typeof given.path === 'string' ? given.path : '/',
      message: 'message' in given && typeof given.message === 'string' ? given.message : String(each)
    }
  })
}
