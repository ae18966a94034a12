import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import Type from 'typebox'
import { Id } from '../resources/shared.js'

/** The server as routes see it: a request's parts have the types of their schemas. */
export type ApiServer = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>

/** Named once in the description, and not repeated under each of its sixty routes. */
const refusal = (description: string) => ({ description, content: { 'application/problem+json': { schema: { $ref: 'Problem#' } } } })

/** Every route's refusals; add to the answers of its own. */
export const refusals = { '4xx': refusal('refused: the code says why'), '5xx': refusal('failed: not the fault of the request') }

/** An answer without a body. */
export const noContent = Type.Null({ description: 'done' })

/** What was wanted is under way at another service: its command, to be found in the log and in the lists it changes. */
export const UnderWay = Type.Object({ command: Id, state: Type.String() }, { description: 'not finished within two seconds; it goes on' })
export type UnderWay = Type.Static<typeof UnderWay>
