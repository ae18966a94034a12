import { type ChildProcess, spawn } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { gatewayId } from '@endeks/domain/identifiers'
import { systemClock } from '@endeks/domain/process'
import { nkeys } from '@nats-io/transport-node'
import { type Authority, type Issued, issueAuthority, issueGateway, issueServer } from '../../src/certificates/issue.js'
import type { JetStreamOptions } from '../../src/jetstream/options.js'
import { natsAccounts } from '../../src/jetstream/rights.js'

/** What the deployment gives nats-server, file for file. */
const template = new URL('../../../../deploy/nats/nats.conf', import.meta.url)
const routePassword = 'of the routes'
const validity = { now: systemClock.now(), days: 2 }

function makeAuthority(): Authority {
  const { certificate, key } = issueAuthority(validity)
  return { certificate, key: createPrivateKey(key) }
}

export interface NatsNode {
  readonly name: string
  readonly mqttPort: number
  /** undefined while it is down */
  child: ChildProcess | undefined
}

/** nats-server as the deployment runs it, on loopback, with stores of their own. */
export class Nats {
  readonly directory: string
  readonly #authority: Authority
  readonly #seed: string
  readonly #ports: readonly Ports[]
  readonly nodes: readonly NatsNode[]
  readonly identities = new Map<string, Issued>()

  private constructor(directory: string, authority: Authority, ports: readonly Ports[]) {
    const user = nkeys.createUser()
    this.directory = directory
    this.#authority = authority
    this.#seed = new TextDecoder().decode(user.getSeed())
    this.#ports = ports
    this.nodes = ports.map(({ mqtt }, index) => ({ name: `nats-${index + 1}`, mqttPort: mqtt, child: undefined }))
  }

  /** Configured for these gateways and started; whoever calls it must stop it. */
  static async start(nodes: number, gateways: readonly string[]): Promise<Nats> {
    const directory = await mkdtemp(join(tmpdir(), 'endeks-nats-'))
    const nats = new Nats(directory, makeAuthority(), await freePorts(nodes))
    for (const gateway of gateways) nats.identities.set(gateway, nats.issue(gateway))
    await nats.#configure()
    await Promise.all(nats.nodes.map((node) => nats.startNode(node)))
    return nats
  }

  /** What ingest is told of it. */
  get options(): JetStreamOptions {
    return {
      servers: this.#ports.map(({ client }) => `tls://localhost:${client}`),
      ...{ seed: this.#seed, authority: this.#authority.certificate, replicas: this.nodes.length, streamBytes: 64 * 1024 * 1024 }
    }
  }

  /** A certificate that the authority has signed, and that no list names. */
  issue(name: string): Issued {
    return issueGateway(this.#authority, name, validity)
  }

  get authority(): string {
    return this.#authority.certificate
  }

  async #configure(): Promise<void> {
    const files = join(this.directory, 'tls')
    await mkdir(files)
    const server = issueServer(this.#authority, ['localhost', '127.0.0.1'], validity)
    const routes = this.#ports.map(({ cluster }) => `"nats-route://route:${encodeURIComponent(routePassword)}@127.0.0.1:${cluster}"`)
    await this.writeAccounts([...this.identities.keys()])
    for (const [name, content] of [
      ['nats.conf', await readFile(template, 'utf8')],
      ['cluster.conf', this.nodes.length === 1 ? '' : clusterOf(routes)],
      ['tls/server.pem', server.certificate],
      ['tls/server-key.pem', server.key],
      ['tls/gateways-ca.pem', this.#authority.certificate]
    ] as const) {
      await writeFile(join(this.directory, name), content)
    }
  }

  async writeAccounts(gateways: readonly string[]): Promise<void> {
    const enrolled = gateways.map((gateway) => ({ gateway: gatewayId(gateway), serial: this.identities.get(gateway)?.serial ?? '' }))
    const ingestKey = nkeys.fromSeed(new TextEncoder().encode(this.#seed)).getPublicKey()
    await writeFile(join(this.directory, 'accounts.conf'), natsAccounts(enrolled, ingestKey))
  }

  /** Resolves when it listens for gateways. */
  async startNode(node: NatsNode): Promise<void> {
    const ports = this.#ports[this.nodes.indexOf(node)]
    if (ports === undefined) throw new Error('it is no node of this cluster')
    const child = spawn('nats-server', ['-c', 'nats.conf'], {
      cwd: this.directory,
      env: {
        ...process.env,
        NATS_NAME: node.name,
        NATS_LISTEN: `127.0.0.1:${ports.client}`,
        NATS_CLUSTER_LISTEN: `127.0.0.1:${ports.cluster}`,
        NATS_MQTT_LISTEN: `127.0.0.1:${ports.mqtt}`,
        NATS_MONITOR_LISTEN: `127.0.0.1:${ports.monitor}`,
        NATS_STORE: join(this.directory, node.name),
        NATS_STORE_LIMIT: '1GB'
      },
      stdio: ['ignore', 'ignore', 'pipe']
    })
    node.child = child
    await new Promise<void>((resolve, reject) => {
      const said: string[] = []
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`nats-server ended with ${code}:\n${said.join('\n')}`)))
      // Every line is read, or it would block on a full pipe.
      createInterface({ input: child.stderr }).on('line', (line) => {
        if (said.length < 200) said.push(line)
        if (line.includes('Server is ready')) resolve()
      })
    })
  }

  async killNode(node: NatsNode): Promise<void> {
    const { child } = node
    node.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }

  /** Tells every node to read its configuration again. */
  reload(): void {
    for (const { child } of this.nodes) child?.kill('SIGHUP')
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.killNode(node)))
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** As deploy/README.md tells to write it. */
function clusterOf(routes: readonly string[]): string {
  return `cluster {
  name: endeks
  listen: $NATS_CLUSTER_LISTEN
  authorization { user: route, password: "${routePassword}", timeout: 5 }
  routes: [${routes.join(', ')}]
}
`
}

interface Ports {
  readonly client: number
  readonly cluster: number
  readonly mqtt: number
  readonly monitor: number
}

/** Nodes must know each other's ports before they start: they are taken, told, and let go. */
async function freePorts(nodes: number): Promise<Ports[]> {
  const servers = await Promise.all(
    Array.from({ length: nodes * 4 }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    })
  )
  const ports = servers.map((server) => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('a server without a port')
    return address.port
  })
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return Array.from({ length: nodes }, (_, node) => {
    const [client = 0, cluster = 0, mqtt = 0, monitor = 0] = ports.slice(node * 4)
    return { client, cluster, mqtt, monitor }
  })
}
