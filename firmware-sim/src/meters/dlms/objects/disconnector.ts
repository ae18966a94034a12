import { obis } from '@endeks/domain/metering'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { boolean, integer, otherReason, success, typeUnmatched } from '../values.js'

const disconnectControlClass = 70
const disconnectControlName = obis('0-0:96.3.10*255')
const states = { disconnected: 0, connected: 1 } as const
/** Opened and closed from remote only, without a hand at the meter (Blue Book, control_mode 4: reconnected at once). */
const controlMode = 4

/** Class 70: the valve. While it is closed the dial stands. */
export function disconnectorObject(device: MeterDevice): CosemObject {
  const { valve } = device
  return cosemObject({
    class: disconnectControlClass,
    obis: disconnectControlName,
    seenBy: 'read',
    attributes: {
      2: { read: () => boolean(valve.isOpen) },
      3: { read: () => integer('enum', valve.isOpen ? states.connected : states.disconnected) },
      4: { read: () => integer('enum', controlMode) }
    },
    methods: {
      1: {
        by: 'manage',
        invoke(parameters) {
          if (parameters?.type !== 'integer') return typeUnmatched
          return valve.close(device.instant()) ? success : otherReason
        }
      },
      2: {
        by: 'manage',
        invoke(parameters) {
          if (parameters?.type !== 'integer') return typeUnmatched
          valve.open(device.instant())
          return success
        }
      }
    }
  })
}
