import { type Obis, obis } from '@endeks/domain/metering'
import type { dlms } from '@endeks/gateway/codec'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { integer, octets, text } from '../values.js'

export const serialNumberName = obis('0-0:96.1.0*255')
export const deviceNameName = obis('0-0:42.0.0*255')
export const invocationCounterName = obis('0-0:43.1.0*255')
const noteName = obis('0-0:96.1.1*255')

const dataClass = 1
const longestNote = 1024

function data(name: Obis, read: () => dlms.DlmsData): CosemObject {
  return cosemObject({ class: dataClass, obis: name, seenBy: 'identify', attributes: { 2: { read } } })
}

export function deviceNameObject(logicalDeviceName: string): CosemObject {
  return data(deviceNameName, () => text(logicalDeviceName))
}

/** Class 1: who the meter is, and for a client with a key the counter that it must go beyond. */
export function identificationObjects(device: MeterDevice): readonly CosemObject[] {
  const { meter, counters } = device
  const note = cosemObject({
    class: dataClass,
    obis: noteName,
    seenBy: 'read',
    attributes: {
      2: {
        read: () => octets(device.note),
        writeBy: 'manage',
        write(value) {
          if (value.type !== 'octet-string' || value.value.length > longestNote) return false
          device.note = value.value
          return true
        }
      }
    }
  })
  const counter = data(invocationCounterName, () => integer('double-long-unsigned', counters.lastReceived))
  return [
    data(serialNumberName, () => text(meter.identity.id)),
    deviceNameObject(device.logicalDeviceName),
    note,
    ...(device.keys === undefined ? [] : [counter])
  ]
}
