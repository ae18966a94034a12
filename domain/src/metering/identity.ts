/**
 * What a device says it is, as far as its protocol lets it say so. A reading is booked by the connection it came over and
 * only if this is the meter installed there.
 */
export interface DeviceIdentity {
  /** the maker's number, as printed on the dial: digits for M-Bus, any text for DLMS and Modbus */
  readonly id: string
  readonly manufacturer?: string
  readonly version?: number
  readonly medium?: string
}

export function formatIdentity(identity: DeviceIdentity): string {
  return [identity.manufacturer, identity.id].filter((part) => part !== undefined).join(' ')
}
