import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MeterReading } from '@endeks/domain/metering'
import { type EpochMs, fromIso, toIso } from '@endeks/domain/time'
import { meterUnits } from '@endeks/domain/units'
import t from 'tap'
import { loadProfiles, shippedProfiles } from '../../src/config/index.js'
import { type MbusProfile, mbusCodec } from '../../src/protocols/mbus/codec/index.js'

/** The repository's root lies four folders above the compiled test; the recorded telegrams lie beside the repository. */
const frames = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..', '../shared/vectors/libmbus')
const skip = existsSync(frames) ? false : 'no recorded telegrams in ../shared/vectors/libmbus'

interface Recorded {
  readonly quantity: string
  readonly function: string
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  readonly value: string
}

type MbusRegister = MbusProfile['registers'][number]

interface NamedMeter {
  readonly name: string
  readonly source: string
  readonly device: { readonly manufacturer: string; readonly versions: readonly number[]; readonly media: readonly string[] }
  readonly registers: readonly MbusRegister[]
}

/** Registers that a telegram of their meter does not have: this one was set up without a due date. */
const absent: Readonly<Record<string, readonly string[]>> = { siemens_water: ['9-0:1.0.0*255 stored'] }

const at = fromIso('2030-01-01T00:00:00Z')
const meters = [...loadProfiles([shippedProfiles]).values()]
  .filter(({ name, protocol }) => protocol === 'mbus' && !name.startsWith('generic-'))
  .map(({ value }) => value as NamedMeter)

/** What another decoder found: energies in Wh or J, volumes in m3, dates in text. */
function recordedIn(xml: string): Recorded[] {
  return [...xml.matchAll(/<DataRecord[^>]*>([\s\S]*?)<\/DataRecord>/g)].map(([, body = '']) => {
    const part = (name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1] ?? ''
    return {
      quantity: part('Quantity'),
      function: part('Function'),
      storage: Number(part('StorageNumber')),
      tariff: Number(part('Tariff')),
      subunit: Number(part('Device')),
      value: part('Value')
    }
  })
}

/** The instant of a time point in UTC: a date without a time is the end of its day. */
function instantText(value: string): string {
  if (value.includes('T')) return toIso(fromIso(value.replace(/Z?$/, 'Z')))
  return toIso((fromIso(`${value}T00:00:00Z`) + 86_400_000) as EpochMs)
}

/** In the units of the other decoder: a litre is a thousandth of its m3. */
function numberOf({ raw, scaler, unit }: MeterReading): number {
  const { base, milli } = meterUnits[unit]
  return Number(`${raw}e${scaler}`) * (Number(milli) / (base === 'L' ? 1_000_000 : 1000))
}

function holds(recorded: readonly Recorded[], register: MbusRegister, reading: MeterReading): boolean {
  const storages = recorded
    .filter(({ quantity, storage, value }) => quantity.startsWith('Time point') && storage > 0 && instantText(value) === toIso(reading.at))
    .map(({ storage }) => storage)
  return recorded.some(
    (row) =>
      row.quantity === (register.quantity === 'energy' ? 'Energy' : 'Volume') &&
      row.function === 'Instantaneous value' &&
      row.tariff === register.tariff &&
      row.subunit === register.subunit &&
      (register.storage === 'current' ? row.storage === 0 && reading.at === at : storages.includes(row.storage)) &&
      Math.abs(Number(row.value) - numberOf(reading)) <= 1e-6 * Math.max(1, Number(row.value))
  )
}

for (const meter of meters)
  for (const [, frame = ''] of meter.source.matchAll(/([\w.-]+)\.hex/g))
    t.test(`${meter.name} reads ${frame} as another decoder does`, { skip }, (t) => {
      const xml = readFileSync(resolve(frames, `${frame}.norm.xml`), 'utf8')
      const response = Buffer.from(readFileSync(resolve(frames, `${frame}.hex`), 'latin1').replace(/[^0-9A-Fa-f]/g, ''), 'hex')
      const decoded = mbusCodec.decodeEvidence({ request: new Uint8Array(), response, at, profile: meter, zone: 'UTC' })
      if (!decoded.ok) throw new Error(decoded.error.message)
      const { identity, readings } = decoded.value
      const { manufacturer, versions, media } = meter.device
      t.equal(identity.manufacturer, manufacturer)
      t.ok(versions.includes(identity.version ?? -1) && media.includes(identity.medium ?? ''), 'the device that the profile is for')
      t.equal(Number(identity.id), Number(/<Id>([^<]*)<\/Id>/.exec(xml)?.[1]))
      const recorded = recordedIn(xml)
      for (const register of meter.registers) {
        const name = `${register.obis} ${register.storage}`
        const found = readings.filter((each) => each.obis === register.obis && (each.at === at) === (register.storage === 'current'))
        const expected = !(absent[frame] ?? []).includes(name)
        t.equal(found.length > 0, expected, `${name} is ${expected ? '' : 'not '}in the telegram`)
        for (const reading of found) t.ok(holds(recorded, register, reading), `${name}: ${reading.raw}e${reading.scaler} ${reading.unit}`)
      }
      t.end()
    })
