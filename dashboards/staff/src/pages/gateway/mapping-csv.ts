import type { GatewayMapping, NewGatewayMapping } from '@endeks/billing-api/contract'

/** A field that is wrong before anybody is asked, at a path as the API would give it. */
export interface CsvProblem {
  readonly path: string
  readonly message: string
}

export interface CsvRows<Row> {
  readonly rows: Row[]
  /** the line of the text that each row stands in, from 1 */
  readonly lines: number[]
  readonly problems: CsvProblem[]
}

type GivenKey = NewGatewayMapping['keys'][number]
type GivenDevice = NewGatewayMapping['devices'][number]

export const keyHead = 'device;key;obis;unit;scaler'
export const deviceHead = 'device;serial'

export function keysToCsv(keys: GatewayMapping['keys']): string {
  const lines = keys.map(({ device, key, obis, unit, scaler }) => [device, key, obis, unit, scaler])
  return [keyHead, ...lines.map(toLine)].join('\n')
}

export function devicesToCsv(devices: GatewayMapping['devices']): string {
  return [deviceHead, ...devices.map(({ device, serial }) => toLine([device, serial]))].join('\n')
}

export function toLine(fields: readonly (string | number | null)[]): string {
  return fields.map((field) => quoted(String(field ?? ''))).join(';')
}

/** Lines of a table as it is typed or pasted out of a spreadsheet; an empty field is none, and a first line of names is passed over. */
export function keysOf(text: string): CsvRows<GivenKey> {
  return rowsOf(text, 'keys', keyHead, ([device = '', key = '', obis = '', unit = '', scaler = '']) => {
    const isNumber = scaler === '' || /^[+-]?\d{1,3}$/.test(scaler)
    return {
      row: {
        device: orNull(device),
        key,
        obis: orNull(obis),
        unit: orNull(unit),
        scaler: scaler === '' || !isNumber ? null : Number(scaler)
      },
      wrong: isNumber ? undefined : { field: 'scaler', value: scaler }
    }
  })
}

export function devicesOf(text: string): CsvRows<GivenDevice> {
  return rowsOf(text, 'devices', deviceHead, ([device = '', serial = '']) => ({ row: { device, serial }, wrong: undefined }))
}

const lists = ['keys', 'devices'] as const
type List = (typeof lists)[number]

/** In which line of which text a row stands that the API names: "/keys/3/obis" is in that of the fourth. */
export function placeOf(
  path: string,
  lines: Readonly<Record<List, readonly number[]>>
): { readonly list: List; readonly line: number; readonly field: string } | undefined {
  const [, name, index, field = ''] = /^\/(keys|devices)\/(\d+)\/?(.*)$/.exec(path) ?? []
  const list = lists.find((each) => each === name)
  const line = list === undefined ? undefined : lines[list][Number(index)]
  return list === undefined || line === undefined ? undefined : { list, line, field }
}

interface ReadRow<Row> {
  readonly row: Row
  readonly wrong: { readonly field: string; readonly value: string } | undefined
}

function rowsOf<Row>(text: string, list: string, head: string, read: (fields: readonly string[]) => ReadRow<Row>): CsvRows<Row> {
  const rows: Row[] = []
  const lines: number[] = []
  const problems: CsvProblem[] = []
  const columns = head.split(';')
  for (const [index, line] of text.split(/\r\n|\r|\n/).entries()) {
    if (line.trim() === '') continue
    const fields = fieldsOf(line)
    const isHead = rows.length === 0 && fields[0]?.toLowerCase() === columns[0] && fields[1]?.toLowerCase() === columns[1]
    if (isHead) continue
    const { row, wrong } = read(fields)
    if (wrong !== undefined) problems.push({ path: `/${list}/${rows.length}/${wrong.field}`, message: wrong.value })
    if (fields.slice(columns.length).some((field) => field !== '')) problems.push({ path: `/${list}/${rows.length}/`, message: line })
    rows.push(row)
    lines.push(index + 1)
  }
  return { rows, lines, problems }
}

/** One line (RFC 4180, without line ends in fields), parted by tabs as a spreadsheet copies, by semicolons, or by commas. */
function fieldsOf(line: string): string[] {
  const bare = line.replace(/"(?:[^"]|"")*"/g, '')
  const separator = ['\t', ';'].find((each) => bare.includes(each)) ?? ','
  const fields: string[] = []
  let rest = line
  for (;;) {
    const [whole = '', inQuotes] = /^\s*"((?:[^"]|"")*)"\s*/.exec(rest) ?? []
    const isQuoted = inQuotes !== undefined && (rest.length === whole.length || rest.startsWith(separator, whole.length))
    const end = isQuoted ? whole.length : rest.indexOf(separator)
    const field = end < 0 ? rest : rest.slice(0, end)
    fields.push(isQuoted ? inQuotes.replaceAll('""', '"') : field.trim())
    if (end < 0 || end >= rest.length) return fields
    rest = rest.slice(end + 1)
  }
}

function quoted(field: string): string {
  return /[;,\t"]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

function orNull(text: string): string | null {
  return text === '' ? null : text
}
