import { setTimeout as sleep } from 'node:timers/promises'
import { type ConsumerInfo, type JetStreamManager, jetstreamManager, type StreamInfo } from '@nats-io/jetstream'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import { consumerName, inboxPrefix, messagesStream, retainedStream, sessionsStream } from '../../src/jetstream/names.js'
import type { Nats, NatsNode } from './nats.js'

type Group = NonNullable<StreamInfo['cluster'] | ConsumerInfo['cluster']>

const pauseMs = 100
const attempts = 600

/** What the cluster says of itself, asked with ingest's rights by a connection that outlives its nodes. */
export class ClusterState {
  readonly #nats: Nats
  readonly #connection: NatsConnection
  readonly #manager: JetStreamManager

  private constructor(nats: Nats, connection: NatsConnection, manager: JetStreamManager) {
    this.#nats = nats
    this.#connection = connection
    this.#manager = manager
  }

  static async connect(nats: Nats): Promise<ClusterState> {
    const { servers, seed, authority = '' } = nats.options
    const connection = await connect({
      ...{ servers: [...servers], inboxPrefix, ignoreClusterUpdates: true, tls: { ca: authority }, maxReconnectAttempts: -1 },
      authenticator: nkeyAuthenticator(new TextEncoder().encode(seed))
    })
    return new ClusterState(nats, connection, await jetstreamManager(connection, { checkAPI: false, timeout: 2_000 }))
  }

  /** The node that leads the stream of messages. */
  async leader(): Promise<NatsNode> {
    const { cluster } = await this.#manager.streams.info(messagesStream)
    const leading = this.#nats.nodes.find((node) => node.name === cluster?.leader)
    if (leading === undefined) throw new Error('the stream has no leader')
    return leading
  }

  /** in the stream */
  async messages(): Promise<number> {
    return (await this.#manager.streams.info(messagesStream)).state.messages
  }

  /** Until every node has all that the others have: before that, the next one's death would be the second. */
  async whole(): Promise<void> {
    let lacking = ''
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      lacking = await this.#lacking().catch((thrown: unknown) => `no answer: ${thrown}`)
      if (lacking === '') return
      await sleep(pauseMs)
    }
    throw new Error(`the cluster did not become whole: ${lacking}`)
  }

  async #lacking(): Promise<string> {
    const groups: [string, Group | undefined][] = []
    for (const stream of [sessionsStream, retainedStream, messagesStream]) {
      groups.push([stream, (await this.#manager.streams.info(stream)).cluster])
    }
    groups.push([consumerName, (await this.#manager.consumers.info(messagesStream, consumerName)).cluster])
    const others = this.#nats.nodes.length - 1
    return groups
      .filter(([, group]) => {
        const current = group?.replicas?.filter((replica) => replica.current && replica.offline !== true) ?? []
        return group?.leader === undefined || current.length < others
      })
      .map(([name, group]) => `${name} ${JSON.stringify(group)}`)
      .join('; ')
  }

  /** For whoever must find out why something is missing. */
  async describe(): Promise<string> {
    const { state, cluster } = await this.#manager.streams.info(messagesStream)
    const consumer = await this.#manager.consumers.info(messagesStream, consumerName)
    return JSON.stringify({ stream: { ...state, cluster }, consumer: { ...consumer, config: undefined } })
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }
}
