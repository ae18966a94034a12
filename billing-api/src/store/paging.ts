import { AppError } from '@endeks/domain/errors'

export const defaultLimit = 50

/**
 * Where a page ended, for the one who asks for the next: the sort keys of its last row. Keys, not offsets, as rows are added
 * while somebody pages.
 */
export function writeCursor(keys: readonly string[]): string {
  return Buffer.from(JSON.stringify(keys)).toString('base64url')
}

/**
 * @param patterns what each key looks like
 * @throws {AppError} VALIDATION for a cursor that no page of this list ended with
 */
export function readCursor(cursor: string | undefined, patterns: readonly RegExp[]): string[] | undefined {
  if (cursor === undefined || cursor === '') return undefined
  const keys = parse(cursor)
  if (keys.length === patterns.length && patterns.every((pattern, index) => pattern.test(keys[index] ?? ''))) return keys
  throw new AppError('VALIDATION', 'the cursor is none of this list; leave it out to start at the beginning', {
    problems: [{ path: 'query/cursor', message: 'is no cursor of this list' }]
  })
}

function parse(cursor: string): string[] {
  try {
    const keys: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(keys) && keys.every((key) => typeof key === 'string') ? keys : []
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return []
    throw thrown
  }
}

/** Eighteen digits always fit a bigint column; a key of ours is never longer. */
export const numberKey = /^\d{1,18}$/
export const textKey = /^.{1,64}$/su
export const dateKey = /^\d{4}-\d{2}-\d{2}$/
export const instantKey = /^-?\d{1,15}$/

/** Cuts a list that was asked for one row more than a page holds. */
export function pageOf<Row>(
  found: readonly Row[],
  limit: number,
  keys: (row: Row) => readonly string[]
): { readonly page: readonly Row[]; readonly next: string | null } {
  const page = found.slice(0, limit)
  const last = page.at(-1)
  return { page, next: found.length > limit && last !== undefined ? writeCursor(keys(last)) : null }
}
