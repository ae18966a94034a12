import { isObis } from '@endeks/domain/metering'
import { meterUnits } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { profileHead } from '../../profile-head.js'
import { mostRegisters } from './mbap.js'

const strict = { additionalProperties: false } as const

/** Number formats of registers, and how many registers each takes. Bytes within a register are big-endian by the standard. */
export const valueTypes = { u16: 1, i16: 1, u32: 2, i32: 2, u64: 4, i64: 4, bcd32: 2 } as const
export type ValueType = keyof typeof valueTypes

/** How a stored value says when it was taken. A date without a time stands at 24:00 of that day. */
export const timestampTypes = { 'epoch-u32': 2, 'date-bcd': 2 } as const
export type TimestampType = keyof typeof timestampTypes

const names = <Name extends string>(of: Readonly<Record<Name, unknown>>) => Type.Enum(Object.keys(of) as Name[])

const FunctionCode = Type.Union([Type.Literal(3), Type.Literal(4)])
/** counted from 0, as on the wire; a data sheet's 40001 is 0 here */
const Address = Type.Integer({ minimum: 0, maximum: 65_535 })
const WordOrder = Type.Union([Type.Literal('big'), Type.Literal('little')], { default: 'big' })

const value = {
  obis: Type.Refine(Type.String({ maxLength: 32 }), isObis, () => 'is not an OBIS code such as 8-0:1.0.0*255'),
  type: names(valueTypes),
  wordOrder: Type.Optional(WordOrder),
  scaler: Type.Integer({ minimum: -12, maximum: 12 }),
  unit: names(meterUnits),
  /** what the registers hold when the device has no value: such a value gives no reading */
  invalid: Type.Optional(Type.String({ pattern: '^0x[0-9A-Fa-f]{1,16}$' }))
}

const Offset = Type.Integer({ minimum: 0, maximum: mostRegisters - 1 })
const History = Type.Object(
  {
    function: FunctionCode,
    address: Address,
    entries: Type.Integer({ minimum: 1, maximum: 256 }),
    stride: Type.Integer({ minimum: 3, maximum: mostRegisters }),
    timestamp: Type.Object({ offset: Offset, type: names(timestampTypes), wordOrder: Type.Optional(WordOrder) }, strict),
    values: Type.Array(Type.Object({ offset: Offset, ...value }, strict), { minItems: 1, maxItems: 16 })
  },
  strict
)

function fitsStride(block: Static<typeof History>): boolean {
  const { stride, timestamp, values } = block
  return (
    timestamp.offset + timestampTypes[timestamp.type] <= stride && values.every((each) => each.offset + valueTypes[each.type] <= stride)
  )
}

export const ModbusProfileSchema = Type.Object(
  {
    ...profileHead,
    protocol: Type.Literal('modbus'),
    identity: Type.Object(
      {
        function: FunctionCode,
        address: Address,
        count: Type.Integer({ minimum: 1, maximum: 32 }),
        type: Type.Union([Type.Literal('ascii'), Type.Literal('u32'), Type.Literal('bcd32')]),
        manufacturer: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        medium: Type.Optional(Type.String({ minLength: 1, maxLength: 32 }))
      },
      strict
    ),
    registers: Type.Array(Type.Object({ function: FunctionCode, address: Address, ...value }, strict), { minItems: 1, maxItems: 64 }),
    /** A block of stored values, such as month ends: `entries` records of `stride` registers, in any order. */
    history: Type.Optional(Type.Refine(History, fitsStride, () => 'a field reaches past the stride')),
    /** the most registers that the device gives in one answer */
    blockRegisters: Type.Optional(Type.Integer({ minimum: 4, maximum: mostRegisters, default: mostRegisters })),
    /** unused registers that may be read along to save a request; many devices refuse any, so 0 unless told */
    gapRegisters: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, default: 0 }))
  },
  strict
)
export type ModbusProfile = Static<typeof ModbusProfileSchema>
export type ValueField = Pick<ModbusProfile['registers'][number], 'obis' | 'type' | 'wordOrder' | 'scaler' | 'unit' | 'invalid'>

const validator = Compile(ModbusProfileSchema)
/** Profiles are few and live as long as the process; checking one for each frame would cost more than the frame. */
const checked = new WeakMap<object, true>()

export function isModbusProfile(profile: unknown): profile is ModbusProfile {
  if (typeof profile !== 'object' || profile === null) return false
  if (checked.has(profile)) return true
  if (!validator.Check(profile)) return false
  checked.set(profile, true)
  return true
}
