import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false } as const

/** What is M-Bus about a simulated meter. */
export const MbusMeterOptions = Type.Object(
  {
    /** `fixed`: two counters and no more, as before there were records (CI 73). `variable` unless told */
    structure: Type.Optional(Type.Enum(['variable', 'fixed'])),
    /** of a meter whose address in the site file is its serial number; 0 unless told, as delivered */
    primary: Type.Optional(Type.Integer({ minimum: 0, maximum: 250 })),
    /** has no primary address: answers only after a selection, and to 254 */
    secondaryOnly: Type.Optional(Type.Boolean()),
    /** month ends that it keeps, 24 */
    months: Type.Optional(Type.Integer({ minimum: 0, maximum: 24 })),
    /** month ends that one frame has room for: fewer make a readout of more frames; as many as fit unless told */
    monthsPerFrame: Type.Optional(Type.Integer({ minimum: 1, maximum: 24 })),
    /** flags of the status byte */
    status: Type.Optional(
      Type.Array(Type.Enum(['busy', 'application-error', 'low-battery', 'permanent-error', 'temporary-error']), { maxItems: 5 })
    ),
    /** encrypts its data by it: a simulated key, for a real one never stands in a site file */
    key: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{32}$' })),
    /** by which security mode, 5 */
    mode: Type.Optional(Type.Enum([5, 7]))
  },
  strict
)
export type MbusMeterOptions = Static<typeof MbusMeterOptions>

/** What is M-Bus about a simulated bus. */
export const MbusBusOptions = Type.Object(
  {
    /** what the line makes of several answers at once: bits that mix, or frames one after the other. `mixed` unless told */
    collisions: Type.Optional(Type.Enum(['mixed', 'in-turn']))
  },
  strict
)
export type MbusBusOptions = Static<typeof MbusBusOptions>
