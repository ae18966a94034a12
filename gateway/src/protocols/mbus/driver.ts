import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { Line, lineFields, namesOnePlace, onePlace, placeOf } from '../../line/index.js'
import { nothing, type Protocol, ReadFailure } from '../protocol.js'
import { MbusBus } from './bus.js'
import { mbusCodec, secondaryPattern } from './codec/index.js'
import { Timing, usualBaudRate, usualTries } from './timing.js'

const FieldsSchema = Type.Object(
  {
    ...lineFields,
    /** of the bus behind a converter, which is opened without it but paced by it */
    baudRate: Type.Optional(Type.Integer({ minimum: 300, maximum: 38_400, default: usualBaudRate })),
    /** how often a request is sent before its meter counts as silent */
    tries: Type.Optional(Type.Integer({ minimum: 1, maximum: 5, default: usualTries }))
  },
  { additionalProperties: false }
)
const BusSchema = Type.Refine(
  Type.Refine(FieldsSchema, namesOnePlace, () => onePlace),
  ({ serial, baudRate }) => serial === undefined || baudRate === undefined,
  () => 'has the speed of its serial port in `serial`'
)
const busValidator = Compile(BusSchema)

/** The character of EN 13757-2: eight data bits, even parity, one stop bit. */
const usualCharacter = { parity: 'even', dataBits: 8, stopBits: 1 } as const

/** 0 as delivered, 1 to 250 assigned, 253 the selected meter, 254 for a single meter on a bus of its own. 255 is never answered. */
const primaryPattern = /^(?:\d|[1-9]\d|1\d\d|2[0-4]\d|250|253|254)$/

export const mbusProtocol: Protocol = {
  codec: mbusCodec,
  busSchema: BusSchema,
  addressPattern: new RegExp(`${primaryPattern.source}|${secondaryPattern.source}`),
  addressForm:
    '0 to 250, 253 or 254, or the eight digits of its number, and maker, version and medium where that is not enough: 12345678.ELS.2.7',
  open(bus, dependencies) {
    const place = busValidator.Check(bus) ? placeOf(bus, usualCharacter) : undefined
    if (!busValidator.Check(bus) || place === undefined) throw new ReadFailure('CONFIG_INVALID', 'The bus entry was not checked', nothing)
    const baudRate = bus.serial?.baudRate ?? bus.baudRate ?? usualBaudRate
    const timing = new Timing({ kind: place.kind, baudRate }, dependencies.answerWithinMs)
    return new MbusBus(new Line(place, dependencies.clock), { tries: bus.tries ?? usualTries, timing, clock: dependencies.clock })
  }
}
