import { meterUnits } from '@endeks/domain/units'
import Type, { type Static } from 'typebox'
import { FaultSchema, LineFaultSchema } from '../faults/index.js'
import { LoadShapeSchema } from '../load-shapes/index.js'
import { DlmsFraming, DlmsMeterOptions, HdlcLineOptions } from '../meters/dlms/options.js'
import { MbusBusOptions, MbusMeterOptions } from '../meters/mbus/options.js'
import { ModbusBusOptions } from '../meters/modbus/options.js'

const strict = { additionalProperties: false } as const
/** an instant, or a date of the site's zone: its first instant */
const Moment = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}(T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,3})?(Z|[+-]\\d{2}:\\d{2}))?$' })

const Meter = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 64 }),
    serial: Type.String({ pattern: '^[\\x21-\\x7e]{1,32}$' }),
    manufacturer: Type.String({ pattern: '^[A-Z]{3}$' }),
    version: Type.Integer({ minimum: 0, maximum: 255 }),
    medium: Type.Enum(['water', 'cold-water', 'hot-water', 'waste-water', 'gas', 'heat']),
    unit: Type.Optional(Type.Enum(Object.keys(meterUnits) as (keyof typeof meterUnits)[])),
    scaler: Type.Integer({ minimum: -6, maximum: 6 }),
    digits: Type.Integer({ minimum: 3, maximum: 15 }),
    startedAt: Moment,
    initialIndex: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    shape: LoadShapeSchema,
    /** dismounted: the dial keeps its last index */
    stoppedAt: Type.Optional(Moment),
    faults: Type.Optional(Type.Array(FaultSchema, { maxItems: 32 })),
    mbus: Type.Optional(MbusMeterOptions),
    dlms: Type.Optional(DlmsMeterOptions)
  },
  strict
)

const Bus = Type.Object(
  {
    name: Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }),
    protocol: Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$' }),
    /** this machine alone unless told */
    host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
    /** 0 takes any free one */
    port: Type.Integer({ minimum: 0, maximum: 65_535 }),
    meters: Type.Array(Meter, { maxItems: 10_000 }),
    /** of the line, whoever answers on it */
    faults: Type.Optional(Type.Array(LineFaultSchema, { maxItems: 32 })),
    mbus: Type.Optional(MbusBusOptions),
    modbus: Type.Optional(ModbusBusOptions),
    dlms: Type.Optional(Type.Object({ framing: Type.Optional(DlmsFraming), hdlc: Type.Optional(HdlcLineOptions) }, strict))
  },
  strict
)

/** A simulated site: buses on ports, meters on buses, and how each meter counts. */
export const SimulatedSiteSchema = Type.Object(
  {
    zone: Type.String({ minLength: 1, maxLength: 64 }),
    /** which answers a fault strikes, and with which bytes, follows from it; 0 unless told */
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295 })),
    buses: Type.Array(Bus, { minItems: 1, maxItems: 256 })
  },
  strict
)
export type SimulatedSite = Static<typeof SimulatedSiteSchema>
export type SimulatedMeterEntry = Static<typeof Meter>
export type SimulatedBusEntry = Static<typeof Bus>
