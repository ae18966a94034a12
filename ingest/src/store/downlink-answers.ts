import type { PoolClient } from '@endeks/database/pool'
import { epochMs, toIso } from '@endeks/domain/time'
import type { AckMessage } from '@endeks/domain/wire'

/** What a gateway says of a command. */
export interface Answer {
  readonly gateway: string
  readonly ack: AckMessage
}

/** What is known of whether it was done, by what the gateway says. */
const effects = { done: 'done', rejected: 'none', failed: 'unclear' } as const

/**
 * Writes what became of commands. The first answer ends a command that is not over; one that comes after the end, a valve that
 * closed all the same, is kept beside it, and so is what it tells of the effect.
 *
 * @returns the answers to nothing that was asked of their gateway
 */
export async function storeAnswers(client: PoolClient, answers: readonly Answer[]): Promise<Answer[]> {
  let rest = answers
  const strange: Answer[] = []
  while (rest.length > 0) {
    // One statement changes a row once: of several answers to one command the next round has the next.
    const first = [...new Map(rest.toReversed().map((each) => [`${each.gateway} ${each.ack.id}`, each])).values()]
    const taken = new Set(first)
    strange.push(...(await storeRound(client, first.reverse())))
    rest = rest.filter((each) => !taken.has(each))
  }
  return strange
}

async function storeRound(client: PoolClient, answers: readonly Answer[]): Promise<Answer[]> {
  const values = [
    answers.map(({ ack }) => ack.id),
    answers.map(({ gateway }) => gateway),
    answers.map(({ ack }) => (ack.state === 'done' ? 'done' : 'failed')),
    answers.map(({ ack }) => effects[ack.state]),
    answers.map(({ ack }) => (ack.state === 'done' ? null : (ack.code ?? 'COMMAND_FAILED'))),
    answers.map(({ ack }) => (ack.message === undefined ? null : printable(ack.message))),
    answers.map(({ ack }) => (ack.result === undefined ? null : printableJson(ack.result))),
    answers.map(({ ack }) => toIso(epochMs(ack.at)))
  ]
  const { rows } = await client.query<{ n: bigint }>({
    name: 'store-downlink-answers',
    text: `with answer as (
        select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[], $8::timestamptz[])
          with ordinality as t (key, gateway_id, state, effect, code, message, result, at, n)
      ), known as (
        select a.*, d.id, d.finished_at from answer a join metering.downlink d on d.key = a.key and d.gateway_id = a.gateway_id
        order by d.id for update of d
      ), ended as (
        update metering.downlink d set state = k.state, effect = k.effect, error_code = k.code, error_message = k.message, result = k.result,
          answered_at = k.at, finished_at = now(), sent_at = coalesce(d.sent_at, now())
        from known k where d.id = k.id and k.finished_at is null
        returning d.id, d.gateway_id, d.state, d.effect, d.error_code, d.result
      ), late as (
        update metering.downlink d set effect = case when d.effect = 'done' or k.effect = 'unclear' then d.effect else k.effect end,
          late = jsonb_strip_nulls(jsonb_build_object('state', k.state, 'effect', k.effect, 'code', k.code, 'message', k.message, 'result', k.result,
            'at', k.at, 'receivedAt', now()))
        from known k where d.id = k.id and k.finished_at is not null
          and (d.answered_at is null or (d.effect, d.error_code) is distinct from (k.effect, k.code))
          and (d.late is null or (d.late ->> 'effect', d.late ->> 'code') is distinct from (k.effect, k.code))
        returning d.id, d.gateway_id, d.late
      ), told as (
        select audit.record('gateway ' || gateway_id, 'downlink.' || state, 'downlink', id::text,
          jsonb_strip_nulls(jsonb_build_object('effect', effect, 'code', error_code, 'result', result))) from ended
        union all
        select audit.record('gateway ' || gateway_id, 'downlink.late', 'downlink', id::text, late) from late
      )
      select k.n, (select count(*) from told) as told from known k`,
    values
  })
  const known = new Set(rows.map((row) => Number(row.n)))
  return answers.filter((_, index) => !known.has(index + 1))
}

/** PostgreSQL's text holds no NUL, and a person wants to read this. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

function printableJson(result: NonNullable<AckMessage['result']>): string {
  const entries = Object.entries(result).map(([name, value]) => [name, typeof value === 'string' ? printable(value) : value] as const)
  return JSON.stringify(Object.fromEntries(entries))
}
