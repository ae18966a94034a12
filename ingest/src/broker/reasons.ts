/** Why a connection is not taken: at the socket, before a byte of it is read, or as the answer to its CONNECT. */
export const refusalReasons = [
  'connections',
  'address-connections',
  'address-connects',
  'pending',
  'held-off',
  'stopping',
  'protocol',
  'client-id',
  'keepalive',
  'will',
  'password',
  'certificate',
  'certificate-required',
  'gateway-connects',
  'take-overs',
  'unavailable'
] as const
export type RefusalReason = (typeof refusalReasons)[number]

/** Why a connection that was taken is ended by the broker. */
export const cutReasons = [
  'not-mqtt',
  'malformed',
  'packet-size',
  'handshake',
  'connect-late',
  'silent',
  'slow-reader',
  'not-stored',
  'taken-over',
  'credential-revoked',
  'certificate-revoked',
  'certificate-expired',
  'network'
] as const
export type CutReason = (typeof cutReasons)[number]

export type Counts<Reason extends string> = Record<Reason, number>

export function noCounts<Reason extends string>(reasons: readonly Reason[]): Counts<Reason> {
  return Object.fromEntries(reasons.map((reason) => [reason, 0])) as Counts<Reason>
}

/** Ends a connection, and says under which reason it is counted. */
export class ConnectionCut extends Error {
  readonly reason: CutReason

  constructor(reason: CutReason, why: string) {
    super(why)
    this.name = 'ConnectionCut'
    this.reason = reason
  }
}
