import { DlmsFault } from './fault.js'
import { type ByteReader, hexByte } from './reader.js'
import { type ServiceLayout, type ServiceValues, serviceLayouts } from './service-layouts.js'
import type { ByteWriter } from './writer.js'

interface ServiceRow {
  readonly tag: number
  /** the second byte, where a tag has several APDUs */
  readonly kind?: number
  readonly name: string
  /** the lists of the APDU belong together, element by element */
  readonly paired?: true
  readonly fields: readonly (readonly [name: string, layout: keyof ServiceValues])[]
}

const invoke = ['invoke', 'invoke'] as const
const block = ['block', 'block'] as const
const piece = ['piece', 'piece'] as const
const attribute = ['attribute', 'attribute'] as const
const attributes = ['attributes', 'attributes'] as const
const method = ['method', 'method'] as const
const methods = ['methods', 'methods'] as const
const value = ['value', 'data'] as const
const values = ['values', 'values'] as const
const result = ['result', 'result'] as const
const results = ['results', 'results'] as const

/**
 * APDUs of the services GET (lists), SET, ACTION and of pushes, field by field as the Green Book's abstract syntax (9.5) has
 * them. Decoder, encoder, description and tests walk this table.
 */
export const serviceRows = [
  { tag: 0xc0, kind: 3, name: 'get-request-with-list', fields: [invoke, attributes] },
  { tag: 0xc4, kind: 3, name: 'get-response-with-list', fields: [invoke, ['results', 'get-results']] },
  { tag: 0xc1, kind: 1, name: 'set-request-normal', fields: [invoke, attribute, value] },
  { tag: 0xc1, kind: 2, name: 'set-request-with-first-datablock', fields: [invoke, attribute, piece] },
  { tag: 0xc1, kind: 3, name: 'set-request-with-datablock', fields: [invoke, piece] },
  { tag: 0xc1, kind: 4, name: 'set-request-with-list', paired: true, fields: [invoke, attributes, values] },
  { tag: 0xc1, kind: 5, name: 'set-request-with-list-and-first-datablock', fields: [invoke, attributes, piece] },
  { tag: 0xc5, kind: 1, name: 'set-response-normal', fields: [invoke, result] },
  { tag: 0xc5, kind: 2, name: 'set-response-datablock', fields: [invoke, block] },
  { tag: 0xc5, kind: 3, name: 'set-response-last-datablock', fields: [invoke, result, block] },
  { tag: 0xc5, kind: 4, name: 'set-response-last-datablock-with-list', fields: [invoke, results, block] },
  { tag: 0xc5, kind: 5, name: 'set-response-with-list', fields: [invoke, results] },
  { tag: 0xc3, kind: 1, name: 'action-request-normal', fields: [invoke, method, ['parameters', 'optional-data']] },
  { tag: 0xc3, kind: 2, name: 'action-request-next-pblock', fields: [invoke, block] },
  { tag: 0xc3, kind: 3, name: 'action-request-with-list', paired: true, fields: [invoke, methods, values] },
  { tag: 0xc3, kind: 4, name: 'action-request-with-first-pblock', fields: [invoke, method, piece] },
  { tag: 0xc3, kind: 5, name: 'action-request-with-list-and-first-pblock', fields: [invoke, methods, piece] },
  { tag: 0xc3, kind: 6, name: 'action-request-with-pblock', fields: [invoke, piece] },
  { tag: 0xc7, kind: 1, name: 'action-response-normal', fields: [invoke, ['response', 'action-result']] },
  { tag: 0xc7, kind: 2, name: 'action-response-with-pblock', fields: [invoke, piece] },
  { tag: 0xc7, kind: 3, name: 'action-response-with-list', fields: [invoke, ['responses', 'action-results']] },
  { tag: 0xc7, kind: 4, name: 'action-response-next-pblock', fields: [invoke, block] },
  {
    tag: 0x0f,
    name: 'data-notification',
    fields: [
      ['invoke', 'long-invoke'],
      ['time', 'time'],
      ['body', 'data']
    ]
  },
  { tag: 0xc2, name: 'event-notification-request', fields: [['time', 'optional-time'], ['attribute', 'plain-attribute'], value] }
] as const satisfies readonly ServiceRow[]

type Row = (typeof serviceRows)[number]
type ApduOf<Each extends ServiceRow> = Each extends ServiceRow
  ? { readonly apdu: Each['name'] } & { readonly [Field in Each['fields'][number] as Field[0]]: ServiceValues[Field[1]] }
  : never

/** The APDUs of `serviceRows`. */
export type ServiceApdu = ApduOf<Row>
export type ServiceName = Row['name']

const rowsByName = new Map<string, ServiceRow>(serviceRows.map((row) => [row.name, row]))

export function isService(apdu: { readonly apdu: string }): apdu is ServiceApdu {
  return rowsByName.has(apdu.apdu)
}

export function serviceRow(name: ServiceName): ServiceRow {
  const row = rowsByName.get(name)
  if (row === undefined) throw new DlmsFault('DLMS_TAG', `${name} is not an APDU of a service`)
  return row
}

/** Reads an APDU whose tag has been read. The table ties fields to types: the cast says what the types know. */
export function readService(reader: ByteReader, tag: number): ServiceApdu {
  const rows: readonly ServiceRow[] = serviceRows.filter((each) => each.tag === tag)
  const at = reader.offset
  const kind = rows[0]?.kind === undefined ? undefined : reader.u8()
  const row = rows.find((each) => each.kind === kind)
  if (row === undefined) throw new DlmsFault('DLMS_TAG', `${kind} is not a kind of APDU ${hexByte(tag)}`, at)
  const apdu: Record<string, unknown> = { apdu: row.name }
  for (const [name, layout] of row.fields) apdu[name] = serviceLayouts[layout].read(reader)
  checkPairs(row, apdu, at)
  return apdu as ServiceApdu
}

/** @throws {DlmsFault} DLMS_VALUE for lists that do not belong together, or a value that its type cannot hold */
export function writeService(writer: ByteWriter, apdu: ServiceApdu): void {
  const row = serviceRow(apdu.apdu)
  const given = new Map<string, unknown>(Object.entries(apdu))
  checkPairs(row, apdu)
  writer.u8(row.tag)
  if (row.kind !== undefined) writer.u8(row.kind)
  for (const [name, layout] of row.fields) (serviceLayouts[layout] as ServiceLayout<unknown>).write(writer, given.get(name))
}

function checkPairs(row: ServiceRow, apdu: object, at?: number): void {
  if (row.paired === undefined) return
  const lengths = Object.values(apdu).flatMap((each) => (Array.isArray(each) ? [each.length] : []))
  if (new Set(lengths).size > 1) throw new DlmsFault('DLMS_VALUE', `the lists of ${row.name} have ${lengths.join(' and ')} elements`, at)
}
