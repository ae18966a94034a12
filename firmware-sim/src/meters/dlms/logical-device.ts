import { AppError } from '@endeks/domain/errors'
import type { SimulatedMeter } from '../meter.js'
import type { CosemObject } from './cosem-object.js'
import { MeterDevice } from './device.js'
import { deviceNameObject } from './objects/identification.js'
import { type LogicalDeviceEntry, sapAssignmentObject } from './objects/sap-assignment.js'
import { objectsOf } from './objects.js'

/** The logical device that every physical one has (IEC 62056-53): it tells who else is there. */
export const managementSap = 1

/** What stands at an address of the line now. */
export interface Standing {
  readonly device: MeterDevice
  readonly objects: readonly CosemObject[]
}

/** Where a logical device answers: its own address, and on an HDLC line with several physical devices that of its own one. */
export interface LogicalAddress {
  readonly sap: number
  readonly physical?: number
}

export class LogicalDevice {
  /** as in the site file */
  readonly address: string
  readonly sap: number
  readonly physical: number | undefined
  readonly #meter: SimulatedMeter
  readonly #objectsOf: (device: MeterDevice) => readonly CosemObject[]
  #serial: string
  #standing: Standing

  /** @throws {AppError} VALIDATION for options that do not fit together */
  constructor(meter: SimulatedMeter, place: LogicalAddress, objects: (device: MeterDevice) => readonly CosemObject[]) {
    this.address = meter.address
    this.sap = place.sap
    this.physical = place.physical
    this.#meter = meter
    this.#objectsOf = objects
    this.#serial = meter.identity.id
    this.#standing = this.#stand()
  }

  /** A meter that was exchanged remembers nothing of the one before: another object than last time. */
  get standing(): Standing {
    if (this.#meter.identity.id !== this.#serial) {
      this.#serial = this.#meter.identity.id
      this.#standing = this.#stand()
    }
    return this.#standing
  }

  #stand(): Standing {
    const device = new MeterDevice(this.#meter)
    return { device, objects: this.#objectsOf(device) }
  }
}

/**
 * Puts meters at their addresses. Where several stand in one physical device, its management logical device lists them all: the
 * meter that has that address, or one that is nothing else.
 *
 * @throws {AppError} VALIDATION for an address that is none or is used twice, and for options that do not fit together
 */
export function logicalDevices(
  meters: readonly SimulatedMeter[],
  placeOf: (meter: SimulatedMeter) => LogicalAddress
): readonly LogicalDevice[] {
  const physicals = new Map<number | undefined, Placed[]>()
  for (const meter of meters) {
    const place = placeOf(meter)
    const placed = physicals.get(place.physical)
    if (placed === undefined) physicals.set(place.physical, [{ meter, place }])
    else placed.push({ meter, place })
  }
  return [...physicals].flatMap(([physical, placed]) => together(placed, physical))
}

interface Placed {
  readonly meter: SimulatedMeter
  readonly place: LogicalAddress
}

/** The logical devices of one physical device. */
function together(placed: readonly Placed[], physical: number | undefined): readonly LogicalDevice[] {
  const bySap = new Map<number, LogicalDevice>()
  const neighbours = () => [...bySap.values()].map(({ sap, standing }) => ({ sap, name: standing.device.logicalDeviceName }))
  const several = placed.length > 1
  for (const { meter, place } of placed) {
    if (bySap.has(place.sap)) throw new AppError('VALIDATION', `two meters have the address "${meter.address}"`)
    const lists = several && place.sap === managementSap
    bySap.set(place.sap, new LogicalDevice(meter, place, (device) => objectsOf(device, lists ? neighbours : undefined)))
  }
  const [first] = placed
  if (first !== undefined && several && !bySap.has(managementSap)) {
    bySap.set(managementSap, manager(first.meter, physical, neighbours))
  }
  return [...bySap.values()]
}

/** A concentrator's own logical device: no meter, but it says who stands behind it. */
function manager(first: SimulatedMeter, physical: number | undefined, neighbours: () => readonly LogicalDeviceEntry[]): LogicalDevice {
  const { clock, zone, startedAt, identity, scaler, unit, digits, medium } = first
  const maker = identity.manufacturer === undefined ? {} : { manufacturer: identity.manufacturer }
  const concentrator: SimulatedMeter = {
    ...{ clock, zone, startedAt, scaler, unit, digits, medium },
    address: physical === undefined ? String(managementSap) : `${managementSap}/${physical}`,
    identity: { id: String(physical ?? 0), ...maker },
    indexAt: () => 0n
  }
  const place = physical === undefined ? { sap: managementSap } : { sap: managementSap, physical }
  return new LogicalDevice(concentrator, place, (device) => [deviceNameObject(device.logicalDeviceName), sapAssignmentObject(neighbours)])
}
