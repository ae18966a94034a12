import type { GatewayId } from '@endeks/domain/identifiers'

const reporting = ['NBIRTH', 'DBIRTH', 'NDATA', 'DDATA', 'NDEATH', 'DDEATH'] as const
export type SparkplugKind = (typeof reporting)[number]

export interface SparkplugTopic {
  readonly group: string
  readonly kind: SparkplugKind
  readonly edge: string
  /** undefined for what the edge node says of itself */
  readonly device?: string
}

/** @returns undefined for a topic on which no edge node reports; `spBv1.0/group/DDATA/edge/device` is one */
export function parseSparkplugTopic(topic: string): SparkplugTopic | undefined {
  const [namespace, group = '', kind, edge = '', device, ...rest] = topic.split('/')
  const known = reporting.find((each) => each === kind)
  if (namespace !== 'spBv1.0' || known === undefined || group === '' || edge === '' || rest.length > 0) return undefined
  const ofDevice = known.startsWith('D')
  if (ofDevice ? device === undefined || device === '' : device !== undefined) return undefined
  return { group, kind: known, edge, ...(device === undefined ? {} : { device }) }
}

/** An edge node is a gateway, so the name it gives itself is the gateway's; the group is its own choice. */
export function isOwnSparkplugTopic(gateway: GatewayId, topic: string): boolean {
  return parseSparkplugTopic(topic)?.edge === gateway
}

/** Where an edge node says, by its will, that it is gone. */
export function isOwnDeathTopic(gateway: string, topic: string): boolean {
  const parsed = parseSparkplugTopic(topic)
  return parsed?.kind === 'NDEATH' && parsed.edge === gateway
}

/** Where an edge node, or a device of it, hears commands. */
export function isOwnCommandFilter(gateway: string, filter: string): boolean {
  const [namespace, group = '', kind, edge, device, ...rest] = filter.split('/')
  if (namespace !== 'spBv1.0' || group === '' || /[+#]/.test(group) || edge !== gateway || rest.length > 0) return false
  return kind === 'NCMD' ? device === undefined : kind === 'DCMD' && device !== undefined
}

export function commandTopic(group: string, edge: string): string {
  return `spBv1.0/${group}/NCMD/${edge}`
}
