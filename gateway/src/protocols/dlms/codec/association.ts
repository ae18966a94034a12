import type { Diagnostic, FieldRow, Fields, FieldValues, UserInformation } from './association-fields.js'
import { DlmsFault } from './fault.js'
import {
  readConfirmedServiceError,
  readInitiateRequest,
  readInitiateResponse,
  writeConfirmedServiceError,
  writeInitiateRequest,
  writeInitiateResponse
} from './initiate.js'
import { type ByteReader, hexByte } from './reader.js'
import { ByteWriter } from './writer.js'

/** What one layout does to the contents of a field, which the caller has already cut out by its BER length. */
interface Layout<Value> {
  read(reader: ByteReader): Value
  write(writer: ByteWriter, value: Value): void
}

/** A value behind a tag and length of its own, as EXPLICIT tagging wraps it. */
function explicit<Value>(tag: number, what: string, inner: Layout<Value>): Layout<Value> {
  return {
    read(reader) {
      reader.expect(tag, what)
      const contents = reader.window(reader.length())
      const value = inner.read(contents)
      contents.finish(what)
      return value
    },
    write(writer, value) {
      const contents = new ByteWriter()
      inner.write(contents, value)
      writer.u8(tag).counted(contents.finish())
    }
  }
}

const contents: Layout<Uint8Array> = { read: (reader) => reader.take(reader.left), write: (writer, value) => void writer.raw(value) }

const bits: Layout<Uint8Array> = {
  read(reader) {
    const at = reader.offset
    const value = reader.take(reader.left)
    const unused = value[0]
    if (unused === undefined || unused > 7)
      throw new DlmsFault('DLMS_VALUE', 'a bit string does not say how many of its bits are unused', at)
    return value
  },
  write: contents.write
}

/** INTEGER of X.690, 8.3: the two's complement in as few bytes as it needs; here at most four. */
const integer: Layout<number> = {
  read(reader) {
    const at = reader.offset
    const size = reader.left
    if (size < 1 || size > 4) throw new DlmsFault('DLMS_LENGTH', `an integer of ${size} bytes is not one of an association`, at)
    let value = reader.i8()
    while (reader.left > 0) value = value * 256 + reader.u8()
    return value
  },
  write(writer, value) {
    let size = 1
    while (size < 4 && (value < -(2 ** (8 * size - 1)) || value >= 2 ** (8 * size - 1))) size += 1
    for (let index = size - 1; index >= 0; index -= 1) writer.u8((value >> (8 * index)) & 0xff)
  }
}

/** OBJECT IDENTIFIER of X.690, 8.19: base 128, the first two arcs in one number. */
const objectIdentifier: Layout<string> = {
  read(reader) {
    const at = reader.offset
    const arcs: number[] = []
    let arc = 0
    let open = true
    while (reader.left > 0) {
      const byte = reader.u8()
      arc = arc * 128 + (byte & 0x7f)
      if (arc > 0xffff_ffff || arcs.length > 20) throw new DlmsFault('DLMS_VALUE', 'an object identifier is too large', at)
      open = byte >= 0x80
      if (open) continue
      arcs.push(arc)
      arc = 0
    }
    const [first, ...rest] = arcs
    if (open || first === undefined) throw new DlmsFault('DLMS_TRUNCATED', 'an object identifier ends inside a number', at)
    const root = Math.min(Math.floor(first / 40), 2)
    return [root, first - 40 * root, ...rest].join('.')
  },
  write(writer, value) {
    const [root = 0, second = 0, ...rest] = value.split('.').map(Number)
    for (const arc of [root * 40 + second, ...rest]) {
      const groups = [arc % 128]
      for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) groups.unshift(0x80 + (more % 128))
      for (const group of groups) writer.u8(group)
    }
  }
}

const diagnosticTags = [
  { tag: 0xa1, source: 'service-user' },
  { tag: 0xa2, source: 'service-provider' }
] as const

const diagnostic: Layout<Diagnostic> = {
  read(reader) {
    const at = reader.offset
    const tag = reader.u8()
    const row = diagnosticTags.find((each) => each.tag === tag)
    if (row === undefined) throw new DlmsFault('DLMS_TAG', `${hexByte(tag)} is not a source of a diagnostic`, at)
    const inner = reader.window(reader.length())
    const value = explicit(0x02, 'the diagnostic', integer).read(inner)
    inner.finish('the diagnostic')
    return { source: row.source, value }
  },
  write(writer, value) {
    const row = diagnosticTags.find((each) => each.source === value.source) ?? diagnosticTags[0]
    explicit(row.tag, 'the diagnostic', explicit(0x02, 'the diagnostic', integer)).write(writer, value.value)
  }
}

/** The octet string of user-information holds an xDLMS APDU in A-XDR; a ciphered one stays closed here. */
const information: Layout<UserInformation> = {
  read(reader) {
    const start = reader.bytes[reader.offset]
    if (start === 0x01 || start === 0x08 || start === 0x0e) {
      reader.u8()
      if (start === 0x01) return readInitiateRequest(reader)
      return start === 0x08 ? readInitiateResponse(reader) : readConfirmedServiceError(reader)
    }
    return { apdu: 'opaque', bytes: reader.take(reader.left) }
  },
  write(writer, value) {
    if (value.apdu === 'opaque') writer.raw(value.bytes)
    else if (value.apdu === 'initiate-request') writeInitiateRequest(writer.u8(0x01), value)
    else if (value.apdu === 'initiate-response') writeInitiateResponse(writer.u8(0x08), value)
    else writeConfirmedServiceError(writer.u8(0x0e), value)
  }
}

const layouts: { readonly [Name in keyof FieldValues]: Layout<FieldValues[Name]> } = {
  oid: explicit(0x06, 'an object identifier', objectIdentifier),
  'implicit-oid': objectIdentifier,
  octets: explicit(0x04, 'an octet string', contents),
  integer: explicit(0x02, 'an integer', integer),
  'implicit-integer': integer,
  bits,
  authentication: explicit(0x80, 'an authentication value (charstring)', contents),
  diagnostic,
  information: explicit(0x04, 'the user information', information),
  contents
}

/** Reads the fields of an association APDU, whose tag has been read, by its table. Order, doubles and what must be there are checked. */
export function readFields<Rows extends readonly FieldRow[]>(reader: ByteReader, rows: Rows, what: string): Fields<Rows> {
  const body = reader.window(reader.length())
  const values: Record<string, unknown> = {}
  let next = 0
  while (body.left > 0) {
    const at = body.offset
    const tag = body.u8()
    const index = rows.findIndex((row, position) => position >= next && row.tag === tag)
    const row = rows[index]
    if (row === undefined) throw new DlmsFault('DLMS_TAG', `${hexByte(tag)} is not a field of ${what}, or not at this place`, at)
    for (const skipped of rows.slice(next, index)) requirePresent(skipped, what, at)
    const field = body.window(body.length())
    values[row.name] = layouts[row.layout].read(field)
    field.finish(row.name)
    next = index + 1
  }
  for (const skipped of rows.slice(next)) requirePresent(skipped, what, body.offset)
  return values as Fields<Rows>
}

function requirePresent(row: FieldRow, what: string, at: number): void {
  if (row.required) throw new DlmsFault('DLMS_TAG', `${what} has no ${row.name}`, at)
}

export function writeFields<Rows extends readonly FieldRow[]>(writer: ByteWriter, rows: Rows, values: Fields<Rows>): void {
  const body = new ByteWriter()
  const given = new Map<string, unknown>(Object.entries(values))
  for (const row of rows) {
    const value = given.get(row.name)
    if (value !== undefined) writeField(body, row, value)
  }
  writer.counted(body.finish())
}

/** The table ties each name to its layout, and `Fields` ties each name to that layout's value: the cast says what the types know. */
function writeField(body: ByteWriter, row: FieldRow, value: unknown): void {
  const field = new ByteWriter()
  const layout = layouts[row.layout] as Layout<unknown>
  layout.write(field, value)
  body.u8(row.tag).counted(field.finish())
}
