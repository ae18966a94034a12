import { type Obis, obis } from '@endeks/domain/metering'
import { type EpochMs, epochMs, startOfDay } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import { Temporal } from 'temporal-polyfill'
import type { SimulatedMeter } from '../../meter.js'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { integer } from '../values.js'
import { clockTime } from './clock.js'

export const registerClass = 3
const extendedRegisterClass = 4

/** The total of each medium (IEC 62056-61 groups A and C). Water is what a medium is that stands nowhere else. */
const totals = [
  { medium: 'water', obis: obis('8-0:1.0.0*255') },
  { medium: 'cold-water', obis: obis('8-0:1.0.0*255') },
  { medium: 'hot-water', obis: obis('9-0:1.0.0*255') },
  { medium: 'heat', obis: obis('6-0:1.0.0*255') },
  { medium: 'gas', obis: obis('7-0:3.0.0*255') }
] as const

export function totalName(meter: SimulatedMeter): Obis {
  return (totals.find((row) => row.medium === meter.medium) ?? totals[0]).obis
}

/** Value group F 101: the last billing period (IEC 62056-61, 5.4.7). */
function billedName(meter: SimulatedMeter): Obis {
  return obis(totalName(meter).replace(/255$/, '101'))
}

/** Digits that an unsigned number of 32 bits always holds. */
const digitsOf32Bits = 9

/** The narrowest unsigned type that the counter's digits can never leave. */
export function counterType(meter: SimulatedMeter): 'double-long-unsigned' | 'long64-unsigned' {
  return meter.digits <= digitsOf32Bits ? 'double-long-unsigned' : 'long64-unsigned'
}

const allBits = 0xffff_ffff_ffff_ffffn

/** The counter at an instant; of a meter that lies about it, all bits. */
export function counterData(device: MeterDevice, at: EpochMs): dlms.DlmsData {
  const type = counterType(device.meter)
  const lie = BigInt.asUintN(type === 'long64-unsigned' ? 64 : 32, allBits)
  const value = device.ailment.lies.has('index') ? lie : device.valve.indexAt(at)
  return type === 'long64-unsigned' ? { type, value } : { type, value: Number(value) }
}

/** Classes 3 and 4: the total, and the total as it stood when the last month ended. */
export function registerObjects(device: MeterDevice): readonly CosemObject[] {
  const { meter } = device
  const scalerUnit = { read: () => dlms.scalerUnitData(meter.scaler, meter.unit) }
  const billedAt = () => lastMonthEnd(device)
  return [
    cosemObject({
      class: registerClass,
      obis: totalName(meter),
      seenBy: 'read',
      attributes: { 2: { read: () => counterData(device, device.instant()) }, 3: scalerUnit }
    }),
    cosemObject({
      class: extendedRegisterClass,
      obis: billedName(meter),
      seenBy: 'read',
      attributes: {
        2: { read: () => counterData(device, billedAt()) },
        3: scalerUnit,
        4: { read: () => integer('unsigned', 0) },
        5: { read: () => dlms.dateTimeOctets(clockTime(device.shown(billedAt()), meter.zone)) }
      }
    })
  ]
}

/** The first instant of the current month, or that of the mounting for a meter that has seen no month end. */
function lastMonthEnd(device: MeterDevice): EpochMs {
  const { meter } = device
  const today = Temporal.Instant.fromEpochMilliseconds(device.instant()).toZonedDateTimeISO(meter.zone).toPlainDate()
  const start = startOfDay(today.with({ day: 1 }), meter.zone)
  return epochMs(Math.max(start, meter.startedAt))
}
