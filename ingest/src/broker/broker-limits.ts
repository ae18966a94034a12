import { type AddressLimits, defaultAddressLimits } from './addresses.js'
import { type ConnectLimits, defaultConnectLimits } from './connect-rules.js'
import { type DeliveryLimits, defaultDeliveryLimits } from './deliveries.js'
import { type DoorLimits, defaultDoorLimits } from './door.js'
import { defaultFrameLimits, type FrameLimits } from './frame-scanner.js'
import { defaultGatewayLimits, type GatewayLimits } from './gateways.js'
import { defaultGuardLimits, type GuardLimits } from './guarded-connection.js'

/** Everything of the broker is bounded; this is all of it. */
export interface BrokerLimits extends AddressLimits, ConnectLimits, DeliveryLimits, DoorLimits, FrameLimits, GatewayLimits, GuardLimits {
  /** how soon it is seen that a time is over */
  readonly sweepEveryMs: number
  /** how soon a revoked credential ends the connection that it let in */
  readonly lookAtProofsEveryMs: number
  /** how soon a renewed certificate of the broker is taken into use */
  readonly lookAtTlsEveryMs: number
}

export const defaultBrokerLimits: BrokerLimits = {
  ...defaultAddressLimits,
  ...defaultConnectLimits,
  ...defaultDeliveryLimits,
  ...defaultDoorLimits,
  ...defaultFrameLimits,
  ...defaultGatewayLimits,
  ...defaultGuardLimits,
  sweepEveryMs: 1_000,
  lookAtProofsEveryMs: 30_000,
  lookAtTlsEveryMs: 10_000
}
