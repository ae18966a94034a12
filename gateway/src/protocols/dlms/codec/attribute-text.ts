import { manufacturerName, mediumName } from '../../mbus/codec/header.js'
import { type DlmsData, integerOf } from './data-types.js'
import { formatDateTime } from './date-time.js'
import { describeData } from './describe-data.js'
import { attributes, controlStates } from './object-classes.js'
import { toHex } from './reader.js'
import { unitName } from './scaler-unit.js'
import { dateTimeOf } from './selective-access.js'

const { register, extendedRegister, clock, disconnectControl, mbusClient } = attributes
const longest = 80

/** An attribute's value in a few words, by what it means in its class. */
export function describeAttribute(objectClass: number, attribute: number, data: DlmsData): string {
  const known = meaningOf(objectClass, attribute, data)
  return (known ?? plainText(data)).slice(0, longest)
}

function meaningOf(objectClass: number, attribute: number, data: DlmsData): string | undefined {
  const number = integerOf(data)
  switch (objectClass) {
    case register.class:
    case extendedRegister.class:
      if (attribute === register.scalerUnit) return scaleText(data)
      return attribute === extendedRegister.captureTime ? timeText(data) : undefined
    case clock.class:
      return attribute === clock.time ? timeText(data) : undefined
    case disconnectControl.class:
      return attribute === disconnectControl.controlState && number !== undefined ? controlStates[Number(number)] : undefined
    case mbusClient.class:
      return number === undefined ? undefined : mbusText(attribute, Number(number))
    default:
      return undefined
  }
}

function mbusText(attribute: number, number: number): string | undefined {
  if (attribute === mbusClient.identification) return number.toString(16).padStart(8, '0')
  if (attribute === mbusClient.manufacturer) return manufacturerName(number)
  return attribute === mbusClient.deviceType ? mediumName(number) : undefined
}

function timeText(data: DlmsData): string | undefined {
  const time = dateTimeOf(data)
  return time === undefined ? undefined : formatDateTime(time)
}

function scaleText(data: DlmsData): string | undefined {
  const [scaler, unit] = data.type === 'structure' ? data.value : []
  if (scaler?.type !== 'integer' || unit?.type !== 'enum') return undefined
  return `10^${scaler.value} ${unitName(unit.value)}`
}

function plainText(data: DlmsData): string {
  if (data.type === 'octet-string') {
    const text = Buffer.from(data.value).toString('latin1')
    return /^[\x20-\x7e]+$/.test(text) ? text : toHex(data.value)
  }
  const { value } = describeData(data)
  return typeof value === 'string' ? value : JSON.stringify(value)
}
