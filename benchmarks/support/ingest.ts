import { join } from 'node:path'
import { type Child, startService } from './child.js'
import type { Cluster } from './cluster.js'

/** The product's own process: broker, acceptance, validation and commands. */
export async function startIngestProcess(cluster: Cluster): Promise<Child & { readonly port: number }> {
  const child = await startService('ingest', {
    arguments: ['run'],
    environment: { ENDEKS_DATABASE_URL: cluster.url, ENDEKS_MQTT_PORT: '0' },
    log: join(cluster.directory, 'ingest.log')
  })
  return Object.assign(child, { port: portOf(child) })
}

export function portOf(child: Child): number {
  const { port } = child.ready
  if (typeof port !== 'number') throw new Error('the process named no port')
  return port
}
