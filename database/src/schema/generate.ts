import { AppError } from '@endeks/domain/errors'
import type { CatalogueColumn } from './catalogue.js'

/** What a column of each type is in a query's result; the same that the pool's type parsers make. */
const typeNames: Readonly<Record<string, string>> = {
  bool: 'boolean',
  int2: 'number',
  int4: 'number',
  int8: 'bigint',
  oid: 'number',
  float4: 'number',
  float8: 'number',
  numeric: 'string',
  text: 'string',
  varchar: 'string',
  bpchar: 'string',
  char: 'string',
  name: 'string',
  citext: 'string',
  uuid: 'string',
  inet: 'string',
  cidr: 'string',
  date: 'string',
  time: 'string',
  timestamp: 'string',
  interval: 'string',
  xid8: 'string',
  pg_lsn: 'string',
  tsvector: 'string',
  regclass: 'string',
  int4range: 'string',
  int8range: 'string',
  numrange: 'string',
  daterange: 'string',
  tstzrange: 'string',
  tstzmultirange: 'string',
  bytea: 'Buffer',
  timestamptz: 'Timestamp',
  json: 'JsonColumn',
  jsonb: 'JsonColumn'
}

const header = `// Generated from the migrated schema by \`npm run database:types\`; a test fails when it differs.
`

/**
 * The types of all tables as the text of a TypeScript file, the same for the same schema to the last byte.
 *
 * @throws {AppError} INTERNAL for a column whose type has no counterpart here: an unknown one must not pass as `unknown`
 */
export function generateTables(columns: readonly CatalogueColumn[]): string {
  const tables = new Map<string, CatalogueColumn[]>()
  for (const column of columns) {
    const name = `${column.schema}.${column.table}`
    const known = tables.get(name)
    if (known === undefined) tables.set(name, [column])
    else known.push(column)
  }
  const interfaces = [...tables].map(([name, of]) => `export interface ${interfaceName(name)} {\n${of.map(line).join('')}}\n`)
  const keys = [...tables.keys()].map((name) => `  '${name}': ${interfaceName(name)}\n`).join('')
  const body = [...interfaces, `export interface DB {\n${keys}}\n`].join('\n')
  return `${header}${imports(body)}\n${body}`
}

function imports(body: string): string {
  const used = ['Computed', 'Generated', 'JsonColumn', 'Timestamp'].filter((name) => new RegExp(`\\b${name}\\b`).test(body))
  return used.length === 0 ? '' : `import type { ${used.join(', ')} } from './columns.js'\n`
}

function interfaceName(name: string): string {
  return name
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}

function line(column: CatalogueColumn): string {
  const item = column.labels === null ? typeNames[column.type] : column.labels.map(quoted).join(' | ')
  if (item === undefined) {
    throw new AppError(
      'INTERNAL',
      `${column.schema}.${column.table}.${column.column} is of type ${column.type}, which generate.ts doesn't know`
    )
  }
  const single = column.array ? arrayOf(item, column) : item
  const value = column.nullable ? `${single} | null` : single
  const wrapper = column.computed ? 'Computed' : column.hasDefault ? 'Generated' : undefined
  const name = /^[a-z_][a-z0-9_]*$/.test(column.column) ? column.column : quoted(column.column)
  return `  ${name}: ${wrapper === undefined ? value : `${wrapper}<${value}>`}\n`
}

/** Arrays of instants and of JSON have no type that is right for reading and writing alike, so there are none. */
function arrayOf(item: string, column: CatalogueColumn): string {
  if (item === 'Timestamp' || item === 'JsonColumn') {
    throw new AppError(
      'INTERNAL',
      `${column.schema}.${column.table}.${column.column} is an array of ${column.type}; make it a table or jsonb`
    )
  }
  return item.includes(' ') ? `(${item})[]` : `${item}[]`
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
