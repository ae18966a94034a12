/** What a CONNECT asks for, as far as it is judged. */
export interface ConnectRequest {
  readonly clientId: string
  readonly keepaliveS: number
  readonly hasWill: boolean
}

export interface ConnectLimits {
  /** an acknowledgement is held for a sixth of it at most, so it can't be arbitrarily short */
  readonly leastKeepaliveS: number
  readonly mostKeepaliveS: number
}

export const defaultConnectLimits: ConnectLimits = { leastKeepaliveS: 15, mostKeepaliveS: 3_600 }

/** Return codes of CONNACK (MQTT 3.1.1, table 3.1). */
export const connackCode = { identifierRejected: 2, serverUnavailable: 3, notAuthorized: 5 } as const
export type ConnackCode = (typeof connackCode)[keyof typeof connackCode]

export interface Refusal {
  readonly returnCode: ConnackCode
  readonly why: string
}

/** Why a CONNECT is refused whatever its password, or undefined. */
export function judgeConnect(request: ConnectRequest, limits: ConnectLimits): Refusal | undefined {
  const { clientId, keepaliveS, hasWill } = request
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(clientId)) {
    return { returnCode: connackCode.identifierRejected, why: 'the client id is no gateway name' }
  }
  if (keepaliveS < limits.leastKeepaliveS || keepaliveS > limits.mostKeepaliveS) {
    const why = `keepalive ${keepaliveS} s; choose ${limits.leastKeepaliveS} to ${limits.mostKeepaliveS} s`
    return { returnCode: connackCode.notAuthorized, why }
  }
  if (hasWill) return { returnCode: connackCode.notAuthorized, why: 'wills are not taken: a gateway that is gone says nothing' }
  return undefined
}

const longestHoldMs = 10_000

/** How long an acknowledgement may be held: pings queue behind it, and the client must not give up on us meanwhile. */
export function holdMs(keepaliveS: number): number {
  return Math.min(longestHoldMs, (keepaliveS * 1_000) / 6)
}
