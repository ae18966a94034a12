import { keyKinds, keyNamePattern } from '@endeks/gateway/codec'
import Type, { type Static } from 'typebox'
import { Cursor, Instant, Limit, Page, strict } from '../shared.js'

export const largestKeyFile = 8 * 1_048_576

/** Secrets go in and never come out: nothing that answers has any. */
export const KeyFile = Type.Object(
  {
    file: Type.String({
      minLength: 1,
      maxLength: largestKeyFile,
      description: "the text of a maker's key file, CSV or JSON, the same that the gateways got: then both number versions alike"
    })
  },
  strict
)

export const KeyImport = Type.Object({ added: Type.Integer(), changed: Type.Integer(), unchanged: Type.Integer() })
export type KeyImport = Static<typeof KeyImport>

export const MeterKeyRow = Type.Object({
  name: Type.String({
    pattern: keyNamePattern,
    description: "the meter's serial number as its maker prints it, or MAKER-SERIAL where two makers share one"
  }),
  /** the one in use; earlier ones are kept for the evidence that names them */
  version: Type.Integer(),
  kinds: Type.Array(Type.Enum([...keyKinds])),
  importedAt: Instant
})
export type MeterKeyRow = Static<typeof MeterKeyRow>

export const MeterKeyQuery = Type.Object({ cursor: Cursor, limit: Limit }, strict)
export const MeterKeyPage = Page(MeterKeyRow)
