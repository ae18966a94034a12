import Type, { type Static } from 'typebox'

const strict = { additionalProperties: false } as const
/** Keys and titles of simulated meters only: a real one's never stand in a site file. */
const hex = (bytes: number) => Type.String({ pattern: `^[0-9a-fA-F]{${2 * bytes}}$` })
const ClientId = Type.Integer({ minimum: 1, maximum: 0x7f })
const PduSize = Type.Integer({ minimum: 64, maximum: 0xffff })

/** What goes around the APDUs of a bus: the TCP wrapper of IEC 62056-47, or the HDLC frames of IEC 62056-46. */
export const DlmsFraming = Type.Enum(['wrapper', 'hdlc'])
export type DlmsFraming = Static<typeof DlmsFraming>

/** What the meters of an HDLC line take and send at most: the sides of the negotiation of SNRM and UA. */
export const HdlcLineOptions = Type.Object(
  {
    maxInformation: Type.Optional(Type.Integer({ minimum: 8, maximum: 2030, description: 'bytes of one frame, 128' })),
    window: Type.Optional(Type.Integer({ minimum: 1, maximum: 7, description: 'frames without acknowledgement, 1' }))
  },
  strict
)
export type HdlcLineOptions = Static<typeof HdlcLineOptions>

/** What a client may do: say who it talks to; read everything; set, switch and reset. */
const Rights = Type.Enum(['identify', 'read', 'manage'])

const AssociationOptions = Type.Object(
  {
    client: ClientId,
    /** `low` takes the password; `gmac` is HLS-5 with the keys */
    mechanism: Type.Enum(['none', 'low', 'gmac']),
    rights: Rights,
    /** context with ciphering; unless said otherwise only with `gmac` */
    ciphered: Type.Optional(Type.Boolean()),
    /** what each ciphered APDU must have at least, `both`; `none` takes APDUs in the clear as well */
    protection: Type.Optional(Type.Enum(['none', 'authenticated', 'encrypted', 'both']))
  },
  strict
)

/** Troubles that only DLMS knows. */
const Faults = Type.Object(
  {
    /** the meter has other keys than the site was told */
    wrongKey: Type.Optional(Type.Boolean()),
    /** the meter's own invocation counter jumps back once, after so many ciphered messages */
    counterJumpsBack: Type.Optional(Type.Object({ afterMessages: Type.Integer({ minimum: 1, maximum: 1_000_000 }) }, strict))
  },
  strict
)

const Push = Type.Object(
  {
    everyMs: Type.Integer({ minimum: 20, maximum: 86_400_000 }),
    /** the client that is told, 16 */
    client: Type.Optional(ClientId),
    /** under the global key, in general ciphering */
    ciphered: Type.Optional(Type.Boolean())
  },
  strict
)

/** The meter behind an M-Bus port of this one, as class 72 names it. */
const Submeter = Type.Object(
  {
    serial: Type.String({ pattern: '^\\d{8}$' }),
    manufacturer: Type.String({ pattern: '^[A-Z]{3}$' }),
    version: Type.Integer({ minimum: 0, maximum: 255 }),
    /** device type of EN 13757-7: 7 is water */
    deviceType: Type.Integer({ minimum: 0, maximum: 255 })
  },
  strict
)

/** What is DLMS about a simulated meter. Without it: one that anybody reads without a password. */
export const DlmsMeterOptions = Type.Object(
  {
    /** made from manufacturer and serial unless given */
    systemTitle: Type.Optional(hex(8)),
    keys: Type.Optional(
      Type.Object(
        {
          global: hex(16),
          authentication: hex(16),
          broadcast: Type.Optional(hex(16)),
          /** wraps the keys that a client transfers */
          master: Type.Optional(hex(16))
        },
        strict
      )
    ),
    password: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    /** beside the public client 16, which may identify. Unless given: client 32 reads with the password, client 1 manages with the keys */
    associations: Type.Optional(Type.Array(AssociationOptions, { maxItems: 16 })),
    /** longest APDU that the meter takes and sends, 512 */
    maxPduSize: Type.Optional(PduSize),
    /** bytes of the meter's address on an HDLC line; any that holds it unless given */
    addressSize: Type.Optional(Type.Enum([1, 2, 4])),
    /** the load profile as compact-array */
    compactArray: Type.Optional(Type.Boolean()),
    /** a valve that clients may close */
    disconnector: Type.Optional(Type.Boolean()),
    submeter: Type.Optional(Submeter),
    push: Type.Optional(Push),
    faults: Type.Optional(Faults)
  },
  strict
)
export type DlmsMeterOptions = Static<typeof DlmsMeterOptions>
