import Type, { type Static } from 'typebox'

/** The fields by which a site file says where a bus is: a TCP converter, or a serial port of this machine. */
export const lineFields = {
  host: Type.Optional(Type.String({ minLength: 1, maxLength: 253 })),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 })),
  serial: Type.Optional(
    Type.Object(
      {
        path: Type.String({ minLength: 1, maxLength: 255, pattern: '^[^\\x00]+$' }),
        baudRate: Type.Integer({ minimum: 300, maximum: 921_600 }),
        parity: Type.Optional(Type.Enum(['none', 'even', 'odd'])),
        dataBits: Type.Optional(Type.Enum([7, 8])),
        stopBits: Type.Optional(Type.Enum([1, 2]))
      },
      { additionalProperties: false }
    )
  )
} as const

const LineFieldsSchema = Type.Object(lineFields)
type LineFields = Static<typeof LineFieldsSchema>

export const onePlace = 'needs either host and port, or serial'

/** Whether a bus entry names exactly one place. */
export function namesOnePlace({ host, port, serial }: LineFields): boolean {
  return serial === undefined ? host !== undefined && port !== undefined : host === undefined && port === undefined
}

export interface SerialSettings {
  readonly path: string
  readonly baudRate: number
  readonly parity: 'none' | 'even' | 'odd'
  readonly dataBits: 7 | 8
  readonly stopBits: 1 | 2
}

export type LinePlace =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | ({ readonly kind: 'serial' } & SerialSettings)

/**
 * @param usual what the protocol's standard says of a character where the entry does not
 * @returns undefined for an entry that does not name exactly one place
 */
export function placeOf(fields: LineFields, usual: Omit<SerialSettings, 'path' | 'baudRate'>): LinePlace | undefined {
  const { host, port, serial } = fields
  if (!namesOnePlace(fields)) return undefined
  if (serial !== undefined) return { kind: 'serial', ...usual, ...serial }
  return host === undefined || port === undefined ? undefined : { kind: 'tcp', host, port }
}

export function formatPlace(place: LinePlace): string {
  return place.kind === 'tcp' ? `${place.host}:${place.port}` : place.path
}
