import { fromIso } from '@endeks/domain/time'
import t from 'tap'
import { loadProfiles, shippedProfiles } from '../../src/config/index.js'
import { modbusCodec } from '../../src/protocols/modbus/codec/index.js'

/** What a request asks on the wire, as the source writes the address, and the registers of a meter that stands at the given indexes. */
interface Answer {
  readonly function: 3 | 4
  readonly address: number
  readonly words: readonly number[]
}

interface Case {
  readonly profile: string
  readonly answers: readonly Answer[]
  readonly id: string
  readonly readings: readonly string[]
}

const at = fromIso('2030-01-01T00:00:00Z')
const profiles = loadProfiles([shippedProfiles])

/** Two letters a register, the first in the high byte. */
function letters(text: string, count: number): number[] {
  const bytes = Buffer.from(text.padEnd(count * 2, '\0'), 'latin1')
  return Array.from({ length: count }, (_, index) => bytes.readUInt16BE(index * 2))
}

const cases: readonly Case[] = [
  {
    profile: 'abb-b23-modbus',
    answers: [
      { function: 3, address: 0x8900, words: [0x0001, 0x86a0] },
      { function: 3, address: 0x5000, words: [0, 0, 0x0001, 0xe240] },
      // A meter that doesn't measure export fills the register with ones.
      { function: 3, address: 0x5004, words: [0xffff, 0xffff, 0xffff, 0xffff] }
    ],
    id: 'ABB 100000',
    readings: ['1-0:1.8.0*255 123456e-2 kWh']
  },
  {
    profile: 'carlo-gavazzi-em24-din-modbus',
    answers: [
      { function: 4, address: 0x1300, words: letters('BX1234567890A', 7) },
      { function: 4, address: 0x3e, words: [0xe240, 0x0001] },
      { function: 4, address: 0x5c, words: [0x0010, 0x0000] }
    ],
    id: 'Carlo Gavazzi BX1234567890A',
    readings: ['1-0:1.8.0*255 123456e-1 kWh', '1-0:2.8.0*255 16e-1 kWh']
  },
  {
    profile: 'carlo-gavazzi-em24-ethernet-modbus',
    answers: [
      { function: 3, address: 0x5000, words: letters('BX1234567890A', 7) },
      { function: 3, address: 0x34, words: [0xe240, 0x0001] },
      { function: 3, address: 0x4e, words: [0x0010, 0x0000] }
    ],
    id: 'Carlo Gavazzi BX1234567890A',
    readings: ['1-0:1.8.0*255 123456e-1 kWh', '1-0:2.8.0*255 16e-1 kWh']
  },
  {
    profile: 'eastron-sdm630-modbus',
    answers: [
      { function: 3, address: 0xfc00, words: [0x0001, 0x86a0] },
      // 1234.56 and 0.5 by IEEE 754
      { function: 4, address: 0x48, words: [0x449a, 0x51ec] },
      { function: 4, address: 0x4a, words: [0x3f00, 0x0000] }
    ],
    id: 'Eastron 100000',
    readings: ['1-0:1.8.0*255 123456e-2 kWh', '1-0:2.8.0*255 50e-2 kWh']
  },
  {
    profile: 'schneider-iem3155-modbus',
    answers: [
      // Registers 130, 3204 and 3208 of the manual, which counts from one.
      { function: 3, address: 129, words: [0x0001, 0x86a0] },
      { function: 3, address: 3203, words: [0, 0, 0x0001, 0xe240] },
      { function: 3, address: 3207, words: [0, 0, 0, 16] }
    ],
    id: 'Schneider Electric 100000',
    readings: ['1-0:1.8.0*255 123456e0 Wh', '1-0:2.8.0*255 16e0 Wh']
  },
  {
    profile: 'siemens-mag-6000-modbus',
    answers: [
      { function: 3, address: 640, words: letters('MAG-0042', 9) },
      // 1234.5678 by IEEE 754, double: a tenth of a litre is finer than what is billed.
      { function: 3, address: 3014, words: [0x4093, 0x4a45, 0x6d5c, 0xfaad] }
    ],
    id: 'Siemens MAG-0042',
    readings: ['8-0:1.0.0*255 1234567e-3 m3']
  }
]

/** One exchange by Modbus TCP (Messaging Implementation Guide V1.0b, 3.1.3) for each answer, to unit 1. */
function exchange(answers: readonly Answer[]): { readonly request: Uint8Array; readonly response: Uint8Array } {
  const adu = (transaction: number, pdu: readonly number[]): number[] => [0, transaction, 0, 0, 0, pdu.length + 1, 1, ...pdu]
  const word = (value: number): number[] => [value >> 8, value & 0xff]
  return {
    request: Uint8Array.from(
      answers.flatMap((each, index) => adu(index, [each.function, ...word(each.address), ...word(each.words.length)]))
    ),
    response: Uint8Array.from(
      answers.flatMap(({ words, ...each }, index) => adu(index, [each.function, words.length * 2, ...words.flatMap(word)]))
    )
  }
}

for (const { profile, answers, id, readings } of cases)
  t.test(`${profile} reads the registers of its source as they are laid out there`, (t) => {
    const decoded = modbusCodec.decodeEvidence({ ...exchange(answers), at, profile: profiles.get(profile)?.value, zone: 'UTC' })
    if (!decoded.ok) throw new Error(decoded.error.message)
    const { identity } = decoded.value
    t.equal(`${identity.manufacturer} ${identity.id}`, id)
    t.same(
      decoded.value.readings.map(({ obis, raw, scaler, unit }) => `${obis} ${raw}e${scaler} ${unit}`),
      readings
    )
    t.end()
  })

t.test('no named Modbus meter is without such a case', (t) => {
  const named = [...profiles.values()].filter(({ name, protocol }) => protocol === 'modbus' && !name.startsWith('generic-'))
  t.same(named.map(({ name }) => name).sort(), cases.map(({ profile }) => profile).sort())
  t.end()
})
