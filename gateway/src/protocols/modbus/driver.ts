import Type, { type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { lineFields, namesOnePlace, onePlace, placeOf } from '../../line/index.js'
import { nothing, type Protocol, ReadFailure } from '../protocol.js'
import { ModbusBus } from './bus.js'
import { modbusCodec } from './codec/index.js'

const BusFields = Type.Object(
  {
    ...lineFields,
    /** of a converter: `tcp`, unless told, is Modbus TCP; `rtu` is a transparent one, which passes serial frames on. A serial line has rtu */
    framing: Type.Optional(Type.Enum(['tcp', 'rtu']))
  },
  { additionalProperties: false }
)

function fitsSerial({ serial, framing }: Static<typeof BusFields>): boolean {
  return serial === undefined || framing !== 'tcp'
}

const BusSchema = Type.Refine(
  Type.Refine(BusFields, namesOnePlace, () => onePlace),
  fitsSerial,
  () => 'has framing tcp, and a serial line has rtu'
)
const busValidator = Compile(BusSchema)

/** Modbus over Serial Line V1.02, 2.5.1: even parity is required; without parity there would be two stop bits. */
const usualCharacter = { parity: 'even', dataBits: 8, stopBits: 1 } as const

export const modbusProtocol: Protocol = {
  codec: modbusCodec,
  busSchema: BusSchema,
  /** unit identifiers: 1 to 247 on a line behind a converter, 0 and 255 for a device with an address of its own */
  addressPattern: /^(0|[1-9]\d?|1\d\d|2[0-3]\d|24[0-7]|255)$/,
  addressForm: 'a unit from 1 to 247; 0 or 255 for a device with a network address of its own',
  open(bus, dependencies) {
    const place = busValidator.Check(bus) ? placeOf(bus, usualCharacter) : undefined
    if (!busValidator.Check(bus) || place === undefined) {
      throw new ReadFailure('CONFIG_INVALID', 'the bus entry was not checked', nothing)
    }
    const framing = place.kind === 'serial' ? 'rtu' : (bus.framing ?? 'tcp')
    return new ModbusBus({ place, framing, dependencies })
  }
}
