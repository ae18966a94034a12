import { once } from 'node:events'
import { createServer } from 'node:net'
import { parseReadings, parseTopic } from '@endeks/domain/wire'
import { Aedes } from 'aedes'

/** A real broker that answers at once and keeps, of every exchange, which connection was read and when. */
export interface ListeningBroker {
  readonly url: string
  /** instants of the gateway's clock, by "bus/address" */
  readonly reads: ReadonlyMap<string, readonly number[]>
  /** one text for each reading that came, for whoever wants to hold them against the dials */
  readonly readings: ReadonlyMap<string, readonly bigint[]>
  close(): Promise<void>
}

export async function startBroker(gateway: string, password: string): Promise<ListeningBroker> {
  const reads = new Map<string, number[]>()
  const readings = new Map<string, bigint[]>()
  const aedes = await Aedes.createBroker({
    authenticate: (_client, user, given, done) => done(null, user === gateway && given?.toString() === password)
  })
  aedes.authorizePublish = (_client, packet, done) => {
    if (parseTopic(packet.topic)?.kind === 'readings') keep(packet.payload.toString())
    done(null)
  }
  function keep(text: string): void {
    const message = parseReadings(text)
    if (!message.ok) throw message.error
    for (const exchange of message.value.exchanges) {
      const key = `${exchange.bus}/${exchange.address}`
      const instants = reads.get(key)
      if (instants === undefined) reads.set(key, [exchange.at])
      else instants.push(exchange.at)
    }
    for (const reading of message.value.readings) {
      const exchange = message.value.exchanges[reading.exchange]
      if (exchange === undefined) continue
      const key = `${exchange.bus}/${exchange.address}`
      const values = readings.get(key)
      if (values === undefined) readings.set(key, [reading.raw])
      else values.push(reading.raw)
    }
  }
  const server = createServer({ noDelay: true }, aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    reads,
    readings,
    close: async () => {
      server.close()
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    }
  }
}
