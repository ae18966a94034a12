import type { RefusalReason } from './reasons.js'

/** What a CONNECT asks for, as far as it is judged. */
export interface ConnectRequest {
  /** 4 for MQTT 3.1.1, 5 for MQTT 5 */
  readonly protocolVersion: number
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
export const connackCode = { unacceptableProtocol: 1, identifierRejected: 2, serverUnavailable: 3, notAuthorized: 5 } as const
export type ConnackCode = (typeof connackCode)[keyof typeof connackCode]

export interface Refusal {
  readonly reason: RefusalReason
  readonly returnCode: ConnackCode
  readonly why: string
}

/** Why a CONNECT is refused whatever its password, or undefined. */
export function judgeConnect(request: ConnectRequest, limits: ConnectLimits): Refusal | undefined {
  const { protocolVersion, clientId, keepaliveS, hasWill } = request
  if (protocolVersion !== 3 && protocolVersion !== 4) {
    return {
      reason: 'protocol',
      returnCode: connackCode.unacceptableProtocol,
      why: `MQTT 3.1.1 is spoken here, not version ${protocolVersion}`
    }
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(clientId)) {
    return { reason: 'client-id', returnCode: connackCode.identifierRejected, why: 'the client id is no gateway name' }
  }
  if (keepaliveS < limits.leastKeepaliveS || keepaliveS > limits.mostKeepaliveS) {
    const why = `keepalive ${keepaliveS} s; choose ${limits.leastKeepaliveS} to ${limits.mostKeepaliveS} s`
    return { reason: 'keepalive', returnCode: connackCode.notAuthorized, why }
  }
  if (hasWill)
    return { reason: 'will', returnCode: connackCode.notAuthorized, why: 'wills are not taken: a gateway that is gone says nothing' }
  return undefined
}

const longestHoldMs = 10_000

/** How long an acknowledgement may be held: pings queue behind it, and the client must not give up on us meanwhile. */
export function holdMs(keepaliveS: number): number {
  return Math.min(longestHoldMs, (keepaliveS * 1_000) / 6)
}
