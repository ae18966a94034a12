import type { GeneratorRequest, Pace, Sent } from './generator.js'
import type { Load } from './load.js'
import { Messages } from './messages.js'
import { quantile } from './quantile.js'
import { Sender } from './sender.js'

/** Sends loads as it is asked to by its parent, and says how long each message's acknowledgement took. */

let senders: Sender[] = []
let prepared: { readonly load: Load; readonly messages: Messages } | undefined

async function handle(request: GeneratorRequest): Promise<object> {
  if (request.kind === 'prepare') return prepare(request.load, request.port)
  if (request.kind === 'close') return close()
  if (prepared === undefined) throw new Error('nothing is prepared')
  return send(prepared.load, prepared.messages, request)
}

async function prepare(load: Load, port: number): Promise<object> {
  const messages = new Messages(load)
  for (let gateway = 0; gateway < load.gateways; gateway += 1) messages.prepare(gateway)
  prepared = { load, messages }
  if (senders.length !== load.gateways) {
    close()
    senders = await Promise.all(Array.from({ length: load.gateways }, (_, gateway) => Sender.open(port, gateway)))
  }
  return { messageBytes: messages.publish(0, 0, 1).length }
}

function close(): object {
  for (const sender of senders) sender.close()
  senders = []
  return {}
}

/** Milliseconds between two looks at what is due. */
const lookEveryMs = 1

async function send(load: Load, messages: Messages, { window, messagesPerSecond }: Pace): Promise<Sent> {
  const latencies: number[] = []
  const cutsBefore = cuts()
  const started = performance.now()
  // Gateways take turns, so that the load is even however short the time is that one looks at.
  const dueAt =
    messagesPerSecond === undefined
      ? () => undefined
      : (gateway: number) => (index: number) => started + ((index * load.gateways + gateway) * 1_000) / messagesPerSecond
  const pump = (): void => {
    for (const sender of senders) sender.pump()
  }
  const timer = messagesPerSecond === undefined ? undefined : setInterval(pump, lookEveryMs)
  const acknowledged = (milliseconds: number): void => {
    latencies.push(milliseconds)
  }
  try {
    await Promise.all(senders.map((sender, gateway) => sender.send({ load, messages, window, dueAt: dueAt(gateway), acknowledged })))
  } finally {
    clearInterval(timer)
  }
  return {
    messages: latencies.length,
    readings: latencies.length * load.perMessage,
    elapsedMs: performance.now() - started,
    cuts: cuts() - cutsBefore,
    p50Ms: quantile(latencies, 0.5),
    p90Ms: quantile(latencies, 0.9),
    p99Ms: quantile(latencies, 0.99),
    p999Ms: quantile(latencies, 0.999),
    maxMs: quantile(latencies, 1)
  }
}

function cuts(): number {
  return senders.reduce((sum, sender) => sum + sender.cuts, 0)
}

process.on('message', (request: GeneratorRequest) => {
  handle(request).then(
    (answer) => process.send?.(answer),
    (thrown: unknown) => {
      console.error(thrown)
      process.exit(1)
    }
  )
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
