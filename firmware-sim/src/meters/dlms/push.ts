import { dlms } from '@endeks/gateway/codec'
import type { MeterDevice } from './device.js'
import { clockTime } from './objects/clock.js'
import { deviceNameName } from './objects/identification.js'
import { counterData, totalName } from './objects/registers.js'
import { name, structure, text } from './values.js'

/** Bits of Long-Invoke-Id-And-Priority beside its 24 bits of number: high priority, and no confirmation is wanted. */
const longInvoke = { number: 0xff_ffff, highPriority: 0x8000_0000 } as const

/**
 * What a meter tells unasked: which meter it is, by its logical device name, and the total, each behind its name (Green Book 9.3.10,
 * DataNotification).
 *
 * @param count of the notifications so far
 */
export function notification(device: MeterDevice, count: number): Uint8Array {
  const { meter, keys, options } = device
  const time = clockTime(device.now(), meter.zone)
  const apdu: dlms.Apdu = {
    apdu: 'data-notification',
    invoke: longInvoke.highPriority + (count & longInvoke.number),
    time,
    body: structure(
      name(deviceNameName),
      text(device.logicalDeviceName),
      dlms.dateTimeOctets(time),
      name(totalName(meter)),
      counterData(device, device.instant()),
      dlms.scalerUnitData(meter.scaler, meter.unit)
    )
  }
  if (options.push?.ciphered !== true || keys === undefined) return dlms.encodeApdu(apdu)
  const { counters, title: ownTitle } = device
  const context = new dlms.CipherContext({ keys, ownTitle, send: { global: counters.nextToSend } })
  const sealed = context.protect({ apdu, key: 'global', form: 'general' })
  counters.sendFrom(context.nextToSend('global'))
  return dlms.encodeApdu(sealed)
}
