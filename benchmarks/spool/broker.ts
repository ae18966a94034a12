import { once } from 'node:events'
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

// A broker that acknowledges at once, in a process of its own: what the gateway costs is not to be mixed with it. It counts what came.
const aedes = await Aedes.createBroker()
let messages = 0
let bytes = 0
aedes.authorizePublish = (_client, packet, done) => {
  messages += 1
  bytes += packet.payload.length
  done(null)
}
const server = createServer({ noDelay: true }, aedes.handle)
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const address = server.address()
process.send?.({ port: typeof address === 'object' && address !== null ? address.port : 0 })
process.on('message', () => process.send?.({ messages, bytes }))
process.on('disconnect', () => process.exit(0))
