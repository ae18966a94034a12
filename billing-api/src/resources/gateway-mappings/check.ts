import { isObis } from '@endeks/domain/metering'
import { isMeterUnit, meterUnits } from '@endeks/domain/units'
import { keyOf, type Problem, refuse } from '../../store/standing.js'
import type { MappedDevice, MappedKey, NewGatewayMapping } from './schema.js'

const everyKey = '*'
const mostDevice = 64
const mostKey = 256
const mostScaler = 12

/** What is entered, with nothing left out. */
export interface CheckedMapping {
  readonly format: NewGatewayMapping['format']
  readonly keys: readonly MappedKey[]
  readonly devices: readonly MappedDevice[]
}

/** @throws {AppError} VALIDATION with every row that is wrong: its place, and what to write instead */
export function checkMapping(given: NewGatewayMapping): CheckedMapping {
  const keys = given.keys.map(({ device = null, key, obis = null, unit = null, scaler = null }) => ({ device, key, obis, unit, scaler }))
  const problems = [
    ...formatProblems(given),
    ...keys.flatMap((row, index) => keyProblems(row, `/keys/${index}`)),
    ...repeated(keys, 'keys', (row) => keyOf(row.device ?? '', row.key), 'key', 'has a row of its own already'),
    ...given.devices.flatMap((row, index) => deviceProblems(row, `/devices/${index}`)),
    ...repeated(given.devices, 'devices', (row) => row.device, 'device', 'has a row of its own already'),
    ...repeated(given.devices, 'devices', (row) => row.serial, 'serial', 'is the number of another device already: a meter has one')
  ]
  refuse('VALIDATION', problems)
  return { format: given.format, keys, devices: given.devices }
}

function formatProblems({ format, keys, devices }: NewGatewayMapping): Problem[] {
  if (format !== 'endeks' || keys.length + devices.length === 0) return []
  return [{ path: '/format', message: 'is that of our own gateways, which name registers themselves: choose another, or send no rows' }]
}

function keyProblems({ device, key, obis, unit, scaler }: MappedKey, at: string): Problem[] {
  const problems: Problem[] = []
  const tell = (field: string, message: string): void => {
    problems.push({ path: `${at}/${field}`, message })
  }
  if (device !== null) problems.push(...nameProblems(device, `${at}/device`, mostDevice, 'or null for every device'))
  problems.push(...nameProblems(key, `${at}/key`, mostKey, 'or * for all that have no row of their own'))
  if (obis === null) {
    if (unit !== null) tell('unit', 'belongs to a register: give the OBIS code too, or neither to pass the key over')
    if (scaler !== null) tell('scaler', 'belongs to a register: give OBIS code and unit too, or none to pass the key over')
    return problems
  }
  if (!isObis(obis)) tell('obis', 'is no OBIS code: write it like 8-0:1.0.0*255')
  if (key === everyKey) tell('obis', 'can not be the register of every key: * only passes over, so leave it out')
  if (unit === null) tell('unit', `is missing: one of ${Object.keys(meterUnits).join(', ')}; a unit is never guessed`)
  else if (!isMeterUnit(unit)) tell('unit', `is no unit of a meter: one of ${Object.keys(meterUnits).join(', ')}`)
  if (scaler !== null && (!Number.isInteger(scaler) || Math.abs(scaler) > mostScaler))
    tell('scaler', `is no whole number from -${mostScaler} to ${mostScaler}: -3 where the register counts thousandths of its unit`)
  return problems
}

function deviceProblems({ device, serial }: MappedDevice, at: string): Problem[] {
  return [
    ...nameProblems(device, `${at}/device`, mostDevice, 'as the gateway names it'),
    ...nameProblems(serial, `${at}/serial`, mostDevice, 'as it stands on the dial')
  ]
}

function nameProblems(text: string, path: string, most: number, otherwise: string): Problem[] {
  if (text === '') return [{ path, message: `is empty: 1 to ${most} characters, ${otherwise}` }]
  if (text.length > most) return [{ path, message: `has ${text.length} characters: at most ${most}, ${otherwise}` }]
  if (/\p{Cc}/u.test(text)) return [{ path, message: 'holds a control character, such as a tab or the end of a line: remove it' }]
  return text.trim() === text ? [] : [{ path, message: 'begins or ends with a space: remove it' }]
}

function repeated<Row>(rows: readonly Row[], list: string, key: (row: Row) => string, field: string, message: string): Problem[] {
  const seen = new Map<string, number>()
  return rows.flatMap((row, index) => {
    const first = seen.get(key(row))
    seen.set(key(row), first ?? index)
    return first === undefined ? [] : [{ path: `/${list}/${index}/${field}`, message: `${message}: see row ${first + 1}` }]
  })
}
