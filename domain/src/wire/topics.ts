import { type GatewayId, gatewayId } from '../identifiers/gateway-id.js'

/**
 * Five topics a gateway, all below `endeks/1/<gateway>/`: what meters said, the profiles they were read with, which messages were
 * lost before they could be sent, commands to the gateway and their acknowledgements. A gateway may publish on its own
 * `readings`, `profiles`, `lost` and `ack` and subscribe to its own `cmd`; nothing else is allowed.
 */
export const topicKinds = ['readings', 'profiles', 'lost', 'cmd', 'ack'] as const
export type TopicKind = (typeof topicKinds)[number]

export function topicFor(gateway: GatewayId, kind: TopicKind): string {
  return `endeks/1/${gateway}/${kind}`
}

/** @returns undefined for any topic that is not exactly one of ours */
export function parseTopic(topic: string): { readonly gateway: GatewayId; readonly kind: TopicKind } | undefined {
  const [root, version, gateway, kind, ...rest] = topic.split('/')
  if (root !== 'endeks' || version !== '1' || gateway === undefined || rest.length > 0) return undefined
  const known = topicKinds.find((each) => each === kind)
  if (known === undefined || !/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(gateway)) return undefined
  return { gateway: gatewayId(gateway), kind: known }
}
