import { isObis, statusBits } from '@endeks/domain/metering'
import { meterUnits } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { profileHead } from '../../profile-head.js'
import { mostRegisters } from './pdu.js'
import { identityTypes, timestampTypes, valueTypes } from './types.js'

const strict = { additionalProperties: false } as const

const names = <Name extends string>(of: Readonly<Record<Name, unknown>>) => Type.Enum(Object.keys(of) as Name[])

/** 3 reads holding registers, 4 input registers */
const FunctionCode = Type.Union([Type.Literal(3), Type.Literal(4)])
/** counted from the profile's `addressBase`; whether it fits that is for `checkProfile` to say */
const Address = Type.Integer({ minimum: 0, maximum: 65_536 })
const Order = Type.Union([Type.Literal('big'), Type.Literal('little')], { default: 'big' })
const orders = { wordOrder: Type.Optional(Order), byteOrder: Type.Optional(Order) } as const

const Exponent = Type.Integer({ minimum: -12, maximum: 12 })
/** the bits of the registers, put in order, as the data sheet writes them */
const Bits = Type.String({ pattern: '^0x[0-9A-Fa-f]{1,16}$' })

const value = {
  obis: Type.Refine(Type.String({ maxLength: 32 }), isObis, () => 'is not an OBIS code such as 8-0:1.0.0*255'),
  type: names(valueTypes),
  ...orders,
  /** The last digit is worth 10^scaler of `unit`. Some meters say so themselves: `add` plus what stands in a register. */
  scaler: Type.Union([
    Exponent,
    Type.Object(
      {
        function: FunctionCode,
        address: Address,
        type: Type.Union([Type.Literal('i16'), Type.Literal('u16')]),
        add: Type.Optional(Type.Integer({ minimum: -12, maximum: 12, default: 0 }))
      },
      strict
    )
  ]),
  unit: names(meterUnits),
  /** what the registers hold when the device has no value: such a value gives no reading */
  invalid: Type.Optional(Type.Union([Bits, Type.Array(Bits, { minItems: 1, maxItems: 8 })]))
} as const

const Offset = Type.Integer({ minimum: 0, maximum: mostRegisters - 1 })
const History = Type.Object(
  {
    function: FunctionCode,
    address: Address,
    entries: Type.Integer({ minimum: 1, maximum: 256 }),
    stride: Type.Integer({ minimum: 3, maximum: mostRegisters }),
    timestamp: Type.Object({ offset: Offset, type: names(timestampTypes), ...orders }, strict),
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

/** A condition that the device reports: an input or a coil (functions 2 and 1), or one `bit` of a register, 0 being the lowest. */
const Status = Type.Object(
  {
    function: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(3), Type.Literal(4)]),
    address: Address,
    bit: Type.Optional(Type.Integer({ minimum: 0, maximum: 15 })),
    means: names(statusBits)
  },
  strict
)

const Word = Type.Integer({ minimum: 0, maximum: 65_535 })

/** How such a device is told something: 5 sets a coil, 6 a holding register, 16 several. */
const Commands = Type.Object(
  {
    valve: Type.Optional(
      Type.Object(
        {
          function: Type.Union([Type.Literal(5), Type.Literal(6), Type.Literal(16)]),
          address: Address,
          /** of function 16 */
          type: Type.Optional(Type.Union([Type.Literal('u16'), Type.Literal('u32')], { default: 'u16' })),
          ...orders,
          /** 1 and 0 for a coil: on and off */
          open: Word,
          closed: Word
        },
        strict
      )
    ),
    credit: Type.Optional(
      Type.Object(
        {
          function: Type.Union([Type.Literal(6), Type.Literal(16)]),
          address: Address,
          type: Type.Enum(['u16', 'u32', 'u48', 'u64']),
          ...orders,
          scaler: Exponent,
          unit: Type.String({ pattern: '^[A-Za-z0-9]{1,8}$' })
        },
        strict
      )
    ),
    /** by function 16, in the meter's zone */
    'set-clock': Type.Optional(
      Type.Object({ address: Address, type: Type.Enum(['epoch-u32', 'datetime-bcd', 'fields', 'iec870']), ...orders }, strict)
    )
  },
  strict
)

export const ModbusProfileSchema = Type.Object(
  {
    ...profileHead,
    protocol: Type.Literal('modbus'),
    /**
     * The number of the first register. 0: addresses are those on the wire. 1: those of data sheets that count from one; of
     * 40001 or 30001 the leading digit stands for `function` 3 or 4 and the rest is the address, so both are 1.
     */
    addressBase: Type.Optional(Type.Union([Type.Literal(0), Type.Literal(1)], { default: 0 })),
    identity: Type.Object(
      {
        function: FunctionCode,
        address: Address,
        count: Type.Integer({ minimum: 1, maximum: 32 }),
        type: Type.Enum([...identityTypes]),
        ...orders,
        manufacturer: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
        medium: Type.Optional(Type.String({ minLength: 1, maxLength: 32 }))
      },
      strict
    ),
    registers: Type.Array(Type.Object({ function: FunctionCode, address: Address, ...value }, strict), { minItems: 1, maxItems: 64 }),
    /** what the current values' status is made of */
    status: Type.Optional(Type.Array(Status, { minItems: 1, maxItems: 32 })),
    /** A block of stored values, such as month ends: `entries` records of `stride` registers, in any order. */
    history: Type.Optional(Type.Refine(History, fitsStride, () => 'a field reaches past the stride')),
    /** the most registers that the device gives in one answer */
    blockRegisters: Type.Optional(Type.Integer({ minimum: 4, maximum: mostRegisters, default: mostRegisters })),
    /** unused registers that may be read along to save a request; many devices refuse any, so 0 unless told */
    gapRegisters: Type.Optional(Type.Integer({ minimum: 0, maximum: 64, default: 0 })),
    commands: Type.Optional(Commands)
  },
  strict
)
export type ModbusProfile = Static<typeof ModbusProfileSchema>
export type ValueField = Omit<ModbusProfile['registers'][number], 'function' | 'address'>

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
