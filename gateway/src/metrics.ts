import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { by, type Check, type Metrics, one } from '@endeks/domain/operations'
import type { RunningGateway } from './service.js'

/** Without a spool nothing can be kept; without an uplink it is kept for later, so that is only said. */
export function gatewayChecks(gateway: RunningGateway, spool: string): Check[] {
  return [
    { name: 'spool', missing: () => (gateway.state().spool.diskFull ? 'its disk is full' : whyNotWritable(spool)) },
    { name: 'uplink', dispensable: true, missing: () => (gateway.state().connected ? undefined : 'not connected; what is read is kept') }
  ]
}

async function whyNotWritable(directory: string): Promise<string | undefined> {
  try {
    await access(directory, constants.W_OK)
    return undefined
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return `it can't be written (${String(thrown.code)})`
    throw thrown
  }
}

/** Shows what is counted of a gateway and what waits in its spool. */
export function showGateway(metrics: Metrics, gateway: RunningGateway): void {
  const count = (name: string): number => gateway.state().counts[name] ?? 0
  metrics.total({ name: 'endeks_gateway_reads_total', help: 'readouts that meters answered' }, () => one(count('reads')))
  metrics.total({ name: 'endeks_gateway_readings_total', help: 'readings that were spooled' }, () => one(count('readings')))
  const failures = { name: 'endeks_gateway_failures_total', help: 'what failed, by code', labels: ['code'] }
  metrics.total(failures, () => by('code', countsOf(gateway, 'failed.')))
  const refused = {
    name: 'endeks_gateway_values_refused_total',
    help: 'what meters answered and was no reading, by code',
    labels: ['code']
  }
  metrics.total(refused, () => by('code', countsOf(gateway, 'refused.')))
  metrics.level({ name: 'endeks_gateway_uplink_connected', help: '1 while ingest can be reached' }, () =>
    one(Number(gateway.state().connected))
  )
  metrics.total({ name: 'endeks_gateway_uplink_connects_total', help: 'connections to ingest' }, () => one(count('uplink.connected')))
  metrics.total({ name: 'endeks_gateway_messages_acknowledged_total', help: 'messages that ingest has stored' }, () =>
    one(count('uplink.acknowledged'))
  )
  metrics.total({ name: 'endeks_gateway_readings_acknowledged_total', help: 'readings that ingest has stored' }, () =>
    one(count('uplink.readings'))
  )
  metrics.level({ name: 'endeks_gateway_spool_messages', help: 'messages that wait for ingest' }, () => one(gateway.state().spool.messages))
  metrics.level({ name: 'endeks_gateway_spool_bytes', help: 'what they take on the disk' }, () => one(gateway.state().spool.bytes))
  metrics.level({ name: 'endeks_gateway_losses_unannounced', help: 'lost ranges of which ingest does not know yet' }, () =>
    one(gateway.state().spool.lossesToAnnounce)
  )
  const lost = { name: 'endeks_gateway_lost_total', help: 'what the full spool had to give up', labels: ['what'] }
  metrics.total(lost, () => {
    const { lostMessages: messages, lostReadings: readings } = gateway.state().spool
    return by('what', { messages, readings })
  })
}

function countsOf(gateway: RunningGateway, prefix: string): Record<string, number> {
  const named = Object.entries(gateway.state().counts).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(named.map(([name, count]) => [name.slice(prefix.length), count]))
}
