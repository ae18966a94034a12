import type { GatewayId } from '@endeks/domain/identifiers'
import { topicFor, topicKinds } from '@endeks/domain/wire'
import { certificateName } from '../certificates/issue.js'
import { consumerName, inboxPrefix, messagesStream, retainedStream, sessionsStream } from './names.js'

/** A certificate in force, by which a gateway may connect. */
export interface LiveCertificate {
  readonly gateway: GatewayId
  readonly serial: string
}

/** Asked of JetStream by ingest: its three streams, its one consumer, and nothing of anybody else's. */
const requests = [
  ...[sessionsStream, retainedStream, messagesStream].flatMap((stream) => [`STREAM.INFO.${stream}`, `STREAM.CREATE.${stream}`]),
  `STREAM.MSG.GET.${messagesStream}`,
  `STREAM.MSG.DELETE.${messagesStream}`,
  `CONSUMER.INFO.${messagesStream}.${consumerName}`,
  `CONSUMER.CREATE.${messagesStream}.${consumerName}`,
  `CONSUMER.DURABLE.CREATE.${messagesStream}.${consumerName}`,
  `CONSUMER.MSG.NEXT.${messagesStream}.${consumerName}`
].map((request) => `$JS.API.${request}`)

/**
 * Accounts, users and rights for nats-server, from the tables. There is no secret in it: a gateway shows a certificate, ingest
 * signs with its NKey. Everything that is not named is denied, so that a gateway publishes on its own topics and hears its own
 * commands; `$MQTT.sub.>` is where NATS itself delivers them, and it lets no client subscribe there.
 *
 * The account demands a bound of every stream. NATS names none when it makes its streams for the first gateway that connects,
 * so a gateway can't be acknowledged before ingest has made streams that keep what nobody waits for yet.
 *
 * @param ingestKey public NKey of ingest
 */
export function natsAccounts(certificates: readonly LiveCertificate[], ingestKey: string): string {
  const ingest = {
    publish: [...requests, `$JS.ACK.${messagesStream}.${consumerName}.>`, subjectOf('endeks/1/*/cmd')],
    subscribe: [`${inboxPrefix}.>`]
  }
  return `# Written by \`ingest nats-config\`: change the tables, not this.

# A certificate of the same authority that is no user here does not get in.
accounts: {
  ENDEKS: {
    jetstream: { max_bytes_required: true }
    users: [
      { nkey: ${ingestKey}, allowed_connection_types: ["STANDARD"], permissions: ${permissions(ingest)} }
${certificates.map((certificate) => `      ${userOf(certificate)}`).join('\n')}
    ]
  }
}
`
}

/** Only by MQTT: there the certificate says who it is. Without a password, anybody could be it elsewhere. */
function userOf({ gateway, serial }: LiveCertificate): string {
  const rights = {
    publish: topicKinds.filter((kind) => kind !== 'cmd').map((kind) => subjectOf(topicFor(gateway, kind))),
    subscribe: [subjectOf(topicFor(gateway, 'cmd')), '$MQTT.sub.>']
  }
  return `{ user: "${certificateName(gateway, serial)}", allowed_connection_types: ["MQTT"], permissions: ${permissions(rights)} }`
}

function permissions(rights: { readonly publish: readonly string[]; readonly subscribe: readonly string[] }): string {
  return `{ publish: { allow: ${list(rights.publish)} }, subscribe: { allow: ${list(rights.subscribe)} } }`
}

/** A gateway's name holds no dot, no blank and no quote, so it needs no escaping, here or in a topic. */
function subjectOf(topic: string): string {
  return topic.replaceAll('/', '.')
}

function list(texts: readonly string[]): string {
  return `[${texts.map((text) => `"${text}"`).join(', ')}]`
}
