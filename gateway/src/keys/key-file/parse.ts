import { AppError } from '@endeks/domain/errors'
import { type KeyKind, keyKinds } from '../../protocols/protocol.js'
import { columnHelp, columnsOf, describeField, type Field, fold } from './columns.js'
import { type Row, rowsOf, textOf } from './table.js'

/** One meter's secrets as a file gives them. */
export interface ImportedKeys {
  readonly name: string
  readonly secrets: Readonly<Partial<Record<KeyKind, Uint8Array>>>
}

/** What is wrong with a key file, never with a secret's text in it. */
export interface KeyFileProblem {
  /** undefined: the file as a whole */
  readonly line: number | undefined
  readonly message: string
}

export const mostKeyFileBytes = 8 * 1_048_576
export const mostKeyFileEntries = 50_000
const tooManyMeters = `has more than ${mostKeyFileEntries} meters`
const mostProblemsShown = 100
const keySize = 16
const mostPasswordBytes = 64
/** What a site file may call a key: the meter's serial number as the maker prints it, or MAKER-SERIAL where two makers share one. */
export const keyNamePattern = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'
const keyName = new RegExp(keyNamePattern)

/**
 * Reads a maker's key file: CSV with a header, CSV whose columns show by what is in them, or JSON.
 *
 * @param what names the file in the message
 * @throws {AppError} KEY_FILE_INVALID that lists every bad line by number and reason, without the text that stands there
 */
export function parseKeyFile(bytes: Uint8Array, what = 'the key file'): ImportedKeys[] {
  const problems: KeyFileProblem[] = []
  const keys = readEntries(bytes, problems).flatMap((entry) => checkEntry(entry, problems) ?? [])
  reportDoubles(keys, problems)
  if (keys.length === 0 && problems.length === 0) problems.push({ line: undefined, message: 'holds no key' })
  if (problems.length > 0) throw invalid(what, problems)
  return keys.map(({ name, secrets }) => ({ name, secrets }))
}

interface Entry {
  readonly line: number
  readonly fields: Readonly<Partial<Record<Field, string>>>
}

function readEntries(bytes: Uint8Array, problems: KeyFileProblem[]): Entry[] {
  const refuse = (message: string): [] => {
    problems.push({ line: undefined, message })
    return []
  }
  if (bytes.length > mostKeyFileBytes) return refuse(`has more than ${mostKeyFileBytes} bytes`)
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return refuse('is a zip archive or a workbook: unpack it, or save its sheet as CSV')
  const text = textOf(bytes)
  if (text === undefined) return refuse('is not text')
  const start = text.trimStart()[0]
  if (start === '<') return refuse("is XML: open it with its maker's program and save the keys as CSV")
  const entries = start === '[' || start === '{' ? jsonEntries(text, refuse) : tableEntries(text, problems)
  return entries.length > mostKeyFileEntries ? refuse(tooManyMeters) : entries
}

function tableEntries(text: string, problems: KeyFileProblem[]): Entry[] {
  // The header is a line more.
  const rows = rowsOf(text, mostKeyFileEntries + 1)
  if (typeof rows === 'string') {
    problems.push({ line: undefined, message: rows })
    return []
  }
  const [first] = rows
  if (first === undefined) return []
  const headless = columnsByContent(first.cells)
  const columns = headless ?? columnsOf(first.cells)
  if (typeof columns === 'string') {
    problems.push({ line: first.line, message: columns })
    return []
  }
  if (!columns.has('name') || columns.size < 2) {
    problems.push({ line: first.line, message: `is no header that is known here: there must be ${columnHelp}` })
    return []
  }
  const width = first.cells.length
  return (headless === undefined ? rows.slice(1) : rows).flatMap((row) => rowEntry(row, columns, width, problems) ?? [])
}

function rowEntry(row: Row, columns: ReadonlyMap<Field, number>, width: number, problems: KeyFileProblem[]): Entry | undefined {
  if (row.cells.slice(width).some((cell) => cell !== '')) {
    problems.push({ line: row.line, message: `has ${row.cells.length} cells, and the first line has ${width}` })
    return undefined
  }
  const fields = Object.fromEntries([...columns].map(([field, index]) => [field, row.cells[index] ?? '']))
  return { line: row.line, fields }
}

/** Some makers write manufacturer, serial number and key without a header: a key and one number of a meter tell themselves. */
function columnsByContent(cells: readonly string[]): ReadonlyMap<Field, number> | undefined {
  const keys = cells.flatMap((cell, index) => (looksLikeKey(cell) ? [index] : []))
  const numbers = cells.flatMap((cell, index) => (/^\d{6,16}$/.test(cell) ? [index] : []))
  const [key, otherKey] = keys
  const [number, otherNumber] = numbers
  if (key === undefined || number === undefined || otherKey !== undefined || otherNumber !== undefined) return undefined
  return new Map([
    ['name', number],
    ['encryption', key]
  ])
}

function jsonEntries(text: string, refuse: (message: string) => []): Entry[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    // The message quotes the text, which may be a secret: only the place is told.
    if (!(thrown instanceof SyntaxError)) throw thrown
    const place = /position (\d+)/.exec(thrown.message)?.[1]
    return refuse(place === undefined ? 'is not JSON' : `is not JSON from character ${place} on`)
  }
  const list = isRecord(value) ? Object.values(value).find(Array.isArray) : value
  if (!Array.isArray(list)) return refuse('has no list of meters')
  if (list.length > mostKeyFileEntries) return refuse(tooManyMeters)
  return list.map((item: unknown, index) => ({ line: index + 1, fields: isRecord(item) ? jsonFields(item) : {} }))
}

/** An object's fields by their names, also those one level down: {"serial": ..., "keys": {"ek": ...}}. */
function jsonFields(item: Readonly<Record<string, unknown>>): Entry['fields'] {
  const pairs = Object.entries(item).flatMap(([name, value]) => (isRecord(value) ? Object.entries(value) : [[name, value] as const]))
  const texts = pairs.filter(([, value]) => typeof value === 'string' || typeof value === 'number')
  const columns = columnsOf(texts.map(([name]) => fold(name)))
  if (typeof columns === 'string') return {}
  return Object.fromEntries([...columns].map(([field, index]) => [field, String(texts[index]?.[1] ?? '').trim()]))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function checkEntry({ line, fields }: Entry, problems: KeyFileProblem[]): (ImportedKeys & { readonly line: number }) | undefined {
  const before = problems.length
  const name = bare(fields.name ?? '')
  const wrongName = nameProblem(name)
  if (wrongName !== undefined) problems.push({ line, message: wrongName })
  const secrets: Partial<Record<KeyKind, Uint8Array>> = {}
  for (const kind of keyKinds) {
    const text = fields[kind] ?? ''
    if (text === '') continue
    const secret = kind === 'password' ? passwordOf(text) : keyOf(text)
    if (typeof secret === 'string') problems.push({ line, message: `the ${describeField(kind)} ${secret}` })
    else secrets[kind] = secret
  }
  if (problems.length === before && Object.keys(secrets).length === 0) problems.push({ line, message: 'has no key' })
  return problems.length > before ? undefined : { line, name, secrets }
}

/** A spreadsheet keeps leading zeros by ="0012" or '0012. */
function bare(text: string): string {
  return text.replace(/^[='](?=.)/, '')
}

/** What stands in the wrong column may be a secret, so a wrong name is not repeated either. */
function nameProblem(name: string): string | undefined {
  if (name === '') return 'does not say which meter'
  if (looksLikeKey(name)) return 'has a key where the meter is to be named'
  if (/^\d(\.|,)\d+e\+\d+$/i.test(name)) return "has a serial number that a spreadsheet shortened: ask for the maker's own file"
  return keyName.test(name) ? undefined : "has a meter's name that is not of letters, digits, '.', '_' and '-', at most 64"
}

/** Why a name stands for no keys. One that is a key itself, put where its name belongs, is not repeated: it would be in a log. */
export function noSuchKey(name: string): string {
  if (looksLikeKey(name)) return 'a key itself stands where its name belongs: import it with gateway keys import, and take it out there'
  return `there is no key "${name}": import it with gateway keys import`
}

function looksLikeKey(text: string): boolean {
  return keyOf(text) instanceof Uint8Array
}

/** @returns the bytes, or what is wrong with the text in the words that follow "the key" */
function keyOf(text: string): Uint8Array | string {
  const digits = bare(text)
    .replace(/^0x/i, '')
    .replace(/[\s:-]/g, '')
  if (!/^[0-9A-Fa-f]*$/.test(digits)) return 'has characters that are no hexadecimal digits'
  if (digits.length !== 2 * keySize) return `has ${digits.length} hexadecimal digits, and a key has ${2 * keySize}`
  return Uint8Array.from(Buffer.from(digits, 'hex'))
}

function passwordOf(text: string): Uint8Array | string {
  const hex = /^0x((?:[0-9A-Fa-f]{2})+)$/.exec(text)?.[1]
  const bytes = hex === undefined ? Buffer.from(text, 'utf8') : Buffer.from(hex, 'hex')
  return bytes.length > mostPasswordBytes ? `has more than ${mostPasswordBytes} bytes` : Uint8Array.from(bytes)
}

function reportDoubles(keys: readonly { readonly name: string; readonly line: number }[], problems: KeyFileProblem[]): void {
  const seen = new Map<string, number>()
  for (const { name, line } of keys) {
    const first = seen.get(name)
    if (first === undefined) seen.set(name, line)
    else problems.push({ line, message: `is for the same meter as line ${first}` })
  }
}

function invalid(what: string, problems: readonly KeyFileProblem[]): AppError {
  const shown = problems.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0)).slice(0, mostProblemsShown)
  const lines = shown.map(({ line, message }) => (line === undefined ? `  it ${message}` : `  line ${line}: ${message}`))
  const rest = problems.length - shown.length
  if (rest > 0) lines.push(`  and ${rest} more`)
  const message = `${what} can't be imported, and nothing of it was:\n${lines.join('\n')}`
  const told = shown.map(({ line, message: text }) => ({ path: line === undefined ? 'file' : `line ${line}`, message: text }))
  return new AppError('KEY_FILE_INVALID', message, { problems: told })
}
