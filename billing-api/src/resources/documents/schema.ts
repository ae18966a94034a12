import Type from 'typebox'
import { strict } from '../shared.js'

const Language = Type.Optional(
  Type.Union([Type.Literal('tr'), Type.Literal('en')], {
    default: 'tr',
    description: 'en adds a small English label under each Turkish one'
  })
)

export const InvoicePdfQuery = Type.Object({ language: Language }, strict)
export const ReceiptPdfQuery = Type.Object(
  { language: Language, format: Type.Optional(Type.Union([Type.Literal('a4'), Type.Literal('80mm')], { default: '80mm' })) },
  strict
)
/** Bytes, in the description of the API. */
export const Pdf = { description: 'the document', content: { 'application/pdf': { schema: Type.String({ format: 'binary' }) } } }
