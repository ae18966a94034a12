import { awaitCommand, type Command, enqueue, resultOf } from '@endeks/database/commands'
import type { ApiContext } from '../../context.js'
import { surrogateId } from '../../identifiers.js'
import { type ApiServer, refusals, UnderWay } from '../../plugins/routing.js'
import { staffOf } from '../../plugins/session.js'
import type { StaffUser } from '../session/store.js'
import { toDetail, toRow } from './present.js'
import { IssueRun, NewRun, RunDetail, RunList, RunParams } from './schema.js'
import { checksOf, exclusionsOf, getRun, listRuns } from './store.js'

const tags = ['bill runs']
/** Nobody waits longer than this for a run to be started, and one that starts by surprise an hour later helps nobody. */
const deadlineMs = 60_000

interface Wish {
  readonly kind: 'start-bill-run' | 'issue-bill-run' | 'abandon-bill-run'
  readonly payload: { readonly [name: string]: string | number }
}

export async function billRunRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/bill-runs',
    { config: { access: 'bill-runs.read' }, schema: { tags, summary: 'Bill runs, newest first', response: { 200: RunList, ...refusals } } },
    async () => ({ items: (await listRuns(context.pool)).map(toRow) })
  )

  app.get(
    '/bill-runs/:id',
    {
      config: { access: 'bill-runs.read' },
      schema: {
        tags,
        summary: 'One run with its progress, checks and exclusions; ask again while it works',
        params: RunParams,
        response: { 200: RunDetail, ...refusals }
      }
    },
    async (request) => detailOf(context, surrogateId(request.params.id), staffOf(request))
  )

  app.post(
    '/bill-runs',
    {
      config: { access: 'bill-runs.start' },
      schema: {
        tags,
        summary: 'Start a run for a month that is over',
        body: NewRun,
        response: { 201: RunDetail, 202: UnderWay, ...refusals }
      }
    },
    async (request, reply) => {
      const user = staffOf(request)
      const payload = { period: request.body.period, requestedBy: user.login }
      const command = await ask(context, { kind: 'start-bill-run', payload }, user)
      if (command.state === 'queued') return reply.code(202).send(underWay(command))
      reply.code(201)
      return detailOf(context, startedRun(command), user)
    }
  )

  app.post(
    '/bill-runs/:id/issue',
    {
      config: { access: 'bill-runs.issue' },
      schema: {
        tags,
        summary: 'Issue a checked run: numbers, documents, postings. Irreversible',
        params: RunParams,
        body: IssueRun,
        response: { 200: RunDetail, 202: UnderWay, ...refusals }
      }
    },
    async (request, reply) => {
      const user = staffOf(request)
      const { id } = await getRun(context.pool, surrogateId(request.params.id))
      const payload = { runId: id.toString(), bills: request.body.bills, issuedBy: user.login }
      const command = await ask(context, { kind: 'issue-bill-run', payload }, user)
      if (command.state === 'queued') return reply.code(202).send(underWay(command))
      return detailOf(context, id, user)
    }
  )

  app.post(
    '/bill-runs/:id/abandon',
    {
      config: { access: 'bill-runs.abandon' },
      schema: {
        tags,
        summary: 'Give up a run; nothing of it was visible',
        params: RunParams,
        response: { 200: RunDetail, 202: UnderWay, ...refusals }
      }
    },
    async (request, reply) => {
      const user = staffOf(request)
      const { id } = await getRun(context.pool, surrogateId(request.params.id))
      const command = await ask(context, { kind: 'abandon-bill-run', payload: { runId: id.toString() } }, user)
      if (command.state === 'queued') return reply.code(202).send(underWay(command))
      return detailOf(context, id, user)
    }
  )
}

/**
 * Asks rating and waits two seconds.
 *
 * @throws {AppError} what rating refused it with
 */
async function ask(context: ApiContext, wish: Wish, user: StaffUser): Promise<Command> {
  const { pool, clock } = context
  const id = await enqueue(pool, { owner: 'rating', ...wish, requestedBy: user.login, deadlineMs }, clock)
  const command = await awaitCommand(pool, { id, clock })
  if (command.state !== 'queued') resultOf(command)
  return command
}

function underWay(command: Command): UnderWay {
  return { command: command.id.toString(), state: command.state }
}

function startedRun(command: Command): bigint | undefined {
  const result = command.result
  const runId = typeof result === 'object' && result !== null && 'runId' in result ? result.runId : undefined
  return typeof runId === 'string' && /^\d{1,19}$/.test(runId) ? surrogateId(runId) : undefined
}

async function detailOf(context: ApiContext, id: bigint | undefined, user: StaffUser): Promise<RunDetail> {
  const run = await getRun(context.pool, id)
  const [checks, exclusions] = await Promise.all([checksOf(context.pool, run.id), exclusionsOf(context.pool, run.id)])
  return toDetail({ run, checks, exclusions, user })
}
