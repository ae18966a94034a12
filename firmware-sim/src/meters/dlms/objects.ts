import type { CosemObject } from './cosem-object.js'
import type { MeterDevice } from './device.js'
import { clockObject } from './objects/clock.js'
import { disconnectorObject } from './objects/disconnector.js'
import { identificationObjects } from './objects/identification.js'
import { loadProfileObject } from './objects/load-profile.js'
import { mbusClientObject } from './objects/mbus-client.js'
import { registerObjects } from './objects/registers.js'
import { type LogicalDeviceEntry, sapAssignmentObject } from './objects/sap-assignment.js'

/**
 * The objects of a meter that are the same for all its clients; what an association is comes from itself.
 *
 * @param neighbours the logical devices of the physical one, in its management logical device
 */
export function objectsOf(device: MeterDevice, neighbours?: () => readonly LogicalDeviceEntry[]): readonly CosemObject[] {
  const { options } = device
  return [
    ...identificationObjects(device),
    ...registerObjects(device),
    clockObject(device),
    loadProfileObject(device),
    ...(neighbours === undefined ? [] : [sapAssignmentObject(neighbours)]),
    ...(options.disconnector === true ? [disconnectorObject(device)] : []),
    ...(options.submeter === undefined ? [] : [mbusClientObject(options.submeter)])
  ]
}
