import { formatScaled } from '@endeks/domain/units'
import { escape as escapeFor } from '@influxdata/influxdb-client'

/** A reading with the names that it bears in the mirror. */
export interface MirrorReading {
  readonly registerId: bigint
  readonly obis: string
  readonly serial: string
  readonly medium: string
  readonly unit: string
  readonly atMs: bigint
  readonly raw: bigint
  readonly scaler: number
  readonly status: number
}

/**
 * What a tag can't carry: line protocol has no way to write a control character, and receivers differ about a backslash before
 * one of its own signs. Percent and two digits stand for it, as in addresses, and for a percent sign that would look like that.
 */
const notCarried = /\p{Cc}|\\(?=[ ,=\\]|$)|%(?=[0-9A-Fa-f]{2})/gu

/** A tag's value as receivers read it: any text, one to one. */
export function tagText(value: string): string {
  return value.replace(notCarried, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}

/**
 * One line of line protocol, milliseconds. `raw` is the counter's integer to the last digit, which the client's own points can't hold
 * beyond 2^53; `value` is the same in the meter's unit, as a decimal that the receiver makes a float of.
 */
export function toLine(reading: MirrorReading): string {
  const tags = Object.entries({
    register: `${reading.registerId}`,
    obis: reading.obis,
    serial: reading.serial,
    medium: reading.medium,
    unit: reading.unit
  }).flatMap(([name, value]) => (value === '' ? [] : [`,${name}=${escapeFor.tag(tagText(value))}`]))
  return `reading${tags.join('')} raw=${reading.raw}i,value=${decimal(reading.raw, reading.scaler)},status=${reading.status}i ${reading.atMs}`
}

const mostPlaces = 30

function decimal(raw: bigint, scaler: number): string {
  if (scaler < -mostPlaces || scaler > mostPlaces) return `${raw}e${scaler}`
  return scaler > 0 ? `${raw * 10n ** BigInt(scaler)}` : formatScaled(raw, -scaler, 0)
}
