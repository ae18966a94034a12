import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from '@endeks/database/pool'
import { from as copyFrom } from 'pg-copy-streams'

export type CopyValue = string | number | bigint | boolean | Buffer | null

/** Rows per chunk handed to the socket: large enough that the stream's own cost vanishes. */
const rowsPerChunk = 500

/**
 * Writes rows by COPY in text form.
 *
 * @param table schema and name, from our own code only: it is part of the statement
 * @see PostgreSQL, COPY, "Text Format"
 */
export async function copyRows(
  client: PoolClient,
  table: string,
  columns: readonly string[],
  rows: readonly (readonly CopyValue[])[]
): Promise<void> {
  if (rows.length === 0) return
  const sink = client.query(copyFrom(`COPY ${table} (${columns.join(', ')}) FROM STDIN`))
  await pipeline(Readable.from(chunks(rows)), sink)
}

function* chunks(rows: readonly (readonly CopyValue[])[]): Generator<string> {
  for (let start = 0; start < rows.length; start += rowsPerChunk) {
    let text = ''
    for (const row of rows.slice(start, start + rowsPerChunk)) text += `${row.map(field).join('\t')}\n`
    yield text
  }
}

function field(value: CopyValue): string {
  if (value === null) return '\\N'
  if (Buffer.isBuffer(value)) return `\\\\x${value.toString('hex')}`
  if (typeof value === 'string') return value.replace(/[\\\t\n\r]/g, escapeCharacter)
  return String(value)
}

function escapeCharacter(character: string): string {
  if (character === '\t') return '\\t'
  if (character === '\n') return '\\n'
  if (character === '\r') return '\\r'
  return '\\\\'
}
