import { EventEmitter, once } from 'node:events'
import { awaitCommand, type Command, enqueue } from '@endeks/database/commands'
import type { Pool } from '@endeks/database/pool'
import type { Json } from '@endeks/database/schema'
import { gatewayId } from '@endeks/domain/identifiers'
import { systemClock } from '@endeks/domain/process'
import { epochMs, toIso } from '@endeks/domain/time'
import { type AckMessage, type CommandMessage, parseCommandMessage, topicFor } from '@endeks/domain/wire'
import type { MqttClient } from 'mqtt'
import { connectGateway, publish } from './client.js'

/** A gateway that hears commands, and answers when the test says so. */
export class HearingGateway {
  readonly id: string
  readonly heard: CommandMessage[] = []
  readonly client: MqttClient
  readonly #events = new EventEmitter()

  private constructor(id: string, client: MqttClient) {
    this.id = id
    this.client = client
    client.on('message', (_, payload) => {
      const parsed = parseCommandMessage(payload.toString())
      if (parsed.ok) this.heard.push(parsed.value)
      this.#events.emit('heard')
    })
  }

  static async connect(port: number, id: string): Promise<HearingGateway> {
    return HearingGateway.over(await connectGateway(port, id), id)
  }

  /** On a connection that stands already. */
  static async over(client: MqttClient, id: string): Promise<HearingGateway> {
    const gateway = new HearingGateway(id, client)
    await gateway.client.subscribeAsync(topicFor(gatewayId(id), 'cmd'), { qos: 1 })
    return gateway
  }

  /** Resolves when it has heard so many, to the last of them. */
  async hear(count: number): Promise<CommandMessage> {
    while (this.heard.length < count) await once(this.#events, 'heard')
    const last = this.heard[count - 1]
    if (last === undefined) throw new Error('nothing was heard')
    return last
  }

  /** Resolves when the answer is acknowledged, and so stored. */
  async answer(id: string, answer: Partial<AckMessage> = {}): Promise<void> {
    const message = { v: 1, id, state: 'done', at: systemClock.now(), ...answer }
    await publish(this.client, topicFor(gatewayId(this.id), 'ack'), JSON.stringify(message))
  }

  async leave(): Promise<void> {
    await this.client.endAsync(true)
  }
}

/** Asks as billing-api does, and waits for what ingest says. */
export async function ask(pool: Pool, payload: { readonly [name: string]: Json }, forMs = 600_000): Promise<Command> {
  const deadline = toIso(epochMs(systemClock.now() + forMs))
  const id = await enqueue(
    pool,
    { owner: 'ingest', kind: 'downlink', payload: { parameters: {}, deadline, ...payload }, requestedBy: 'ayse', deadlineMs: 60_000 },
    systemClock
  )
  return awaitCommand(pool, { id, clock: systemClock, withinMs: 20_000 })
}

export interface DownlinkState {
  readonly key: string
  readonly state: string
  readonly effect: string | null
  readonly attempts: number
  readonly error_code: string | null
  readonly result: Json
  readonly late: Json
}

export async function stateOf(pool: Pool, command: Command): Promise<DownlinkState> {
  const { rows } = await pool.query<DownlinkState>(
    'select key::text as key, state, effect, attempts, error_code, result, late from metering.downlink where command_id = $1',
    [command.id]
  )
  const row = rows[0]
  if (row === undefined) throw new Error(`command ${command.id} is ${command.state}: ${command.errorCode} ${command.errorMessage}`)
  return row
}
