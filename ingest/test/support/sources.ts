import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import mqtt, { type MqttClient } from 'mqtt'
import type { KillPointName } from '../../src/kill-points.js'
import { connectGateway } from './client.js'
import { Nats } from './nats.js'

const main = new URL('../../src/main.js', import.meta.url)

/** An ingest process of its own. */
export interface IngestProcess {
  readonly child: ChildProcess
  /** of its broker; undefined when it died before it could tell */
  readonly port: number | undefined
  readonly exited: Promise<unknown[]>
}

/** A source of messages as a gateway sees it, with the real program behind it. */
export interface SourceUnderTest {
  readonly name: string
  startIngest(killAt?: KillPointName): Promise<IngestProcess>
  /** A connection of this gateway, which does not reconnect by itself; `ingest` is the process that runs. */
  connect(gateway: string, ingest: IngestProcess): Promise<MqttClient>
  stop(): Promise<void>
}

/** Kills what still runs when the test ends. */
interface Teardown {
  teardown(work: () => void | Promise<void>): void
}

export async function forkIngest(
  t: Teardown,
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  killAt?: KillPointName
): Promise<IngestProcess> {
  const child = fork(main, ['run', ...args], {
    env: { ...process.env, ...settings, ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt }) },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const port = await new Promise<number | undefined>((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'port' in message) resolve(Number(message.port))
    })
    child.on('exit', () => resolve(undefined))
  })
  return { child, port, exited }
}

/** Our own broker. */
export async function brokerSource(t: Teardown, databaseUrl: string): Promise<SourceUnderTest> {
  return {
    name: 'mqtt',
    startIngest: (killAt) => forkIngest(t, [], { ENDEKS_DATABASE_URL: databaseUrl, ENDEKS_MQTT_PORT: '0' }, killAt),
    connect: (gateway, { port = 0 }) => connectGateway(port, gateway),
    stop: async () => undefined
  }
}

/** NATS JetStream, of one node or of several. */
export async function jetStreamSource(
  t: Teardown,
  databaseUrl: string,
  gateways: readonly string[],
  nodes = 1
): Promise<SourceUnderTest & { readonly nats: Nats }> {
  const nats = await Nats.start(nodes, gateways)
  t.teardown(() => nats.stop())
  const settings = { ENDEKS_DATABASE_URL: databaseUrl, ...(await settingsOf(nats)) }
  return {
    name: 'jetstream',
    nats,
    startIngest: (killAt) => forkIngest(t, ['--source', 'jetstream'], settings, killAt),
    connect: (gateway) => connectToNats(nats, gateway),
    stop: () => nats.stop()
  }
}

async function settingsOf(nats: Nats): Promise<Record<string, string>> {
  const { servers, seed, authority = '', replicas, streamBytes } = nats.options
  const seedFile = join(nats.directory, 'ingest.seed')
  const authorityFile = join(nats.directory, 'authority.pem')
  await writeFile(seedFile, seed, { mode: 0o600 })
  await writeFile(authorityFile, authority)
  return {
    ENDEKS_NATS_SERVERS: servers.join(','),
    ENDEKS_NATS_SEED_FILE: seedFile,
    ENDEKS_NATS_CA_FILE: authorityFile,
    ENDEKS_NATS_REPLICAS: `${replicas}`,
    ENDEKS_NATS_STREAM_BYTES: `${streamBytes}`
  }
}

/** By certificate, to one node. */
export async function connectToNats(
  nats: Nats,
  gateway: string,
  { node = nats.nodes[0], identity = nats.identities.get(gateway), ...other }: NatsConnect = {}
): Promise<MqttClient> {
  if (node === undefined || identity === undefined) throw new Error(`${gateway} has no certificate here`)
  return mqtt.connectAsync(
    `mqtts://127.0.0.1:${node.mqttPort}`,
    {
      ...{ clientId: gateway, keepalive: 60, reconnectPeriod: 0, connectTimeout: 10_000 },
      ...{ ca: nats.authority, cert: identity.certificate, key: identity.key },
      ...other
    },
    false
  )
}

type NatsConnect = mqtt.IClientOptions & {
  readonly node?: Nats['nodes'][number]
  readonly identity?: { readonly certificate: string; readonly key: string }
}
