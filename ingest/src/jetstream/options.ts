export interface JetStreamOptions {
  /** addresses of the cluster's nodes: `nats://host:port`, or `tls://host:port` with the name that is in the node's certificate */
  readonly servers: readonly string[]
  /** the seed of the NKey that `ingest nats-config` has given ingest's rights to */
  readonly seed: string
  /** PEM of the authority that has signed the nodes' certificates, for addresses with `tls://` */
  readonly authority?: string
  /** of each stream; what is acknowledged is written by more than half of them */
  readonly replicas: number
  /** of the stream of messages, on each replica; a full stream refuses, and gateways keep what they have */
  readonly streamBytes: number
  readonly limits?: Partial<JetStreamLimits>
}

export interface JetStreamLimits {
  /** asked for at once */
  readonly fetchMessages: number
  /** how long such a question stands; a node that dies meanwhile is noticed after it */
  readonly fetchForMs: number
  /** of messages taken and not yet settled; beyond it nothing is asked for */
  readonly inFlightBytes: number
  /** what is neither acknowledged nor said to be under way is given to another process */
  readonly ackWaitMs: number
  /** given to all processes together and not yet acknowledged */
  readonly maxAckPending: number
  /** how long a message that could not be stored waits, doubled each time */
  readonly firstDelayMs: number
  readonly longestDelayMs: number
  /** how often what is committed and acknowledged is taken out of the stream */
  readonly removeEveryMs: number
  /** of messages, each time */
  readonly removeAtOnce: number
  /** how often the stream is searched for what is left behind: what was below the consumer's floor for so long */
  readonly searchEveryMs: number
  readonly requestWithinMs: number
  /** for the cluster to be there at the start */
  readonly startWithinMs: number
  /** for what is under way when it ends */
  readonly drainWithinMs: number
}

export const defaultJetStreamLimits: JetStreamLimits = {
  fetchMessages: 100,
  fetchForMs: 2_000,
  inFlightBytes: 16 * 1024 * 1024,
  ackWaitMs: 10_000,
  maxAckPending: 20_000,
  firstDelayMs: 250,
  longestDelayMs: 30_000,
  removeEveryMs: 1_000,
  removeAtOnce: 10_000,
  searchEveryMs: 10_000,
  requestWithinMs: 5_000,
  startWithinMs: 30_000,
  drainWithinMs: 3_000
}
