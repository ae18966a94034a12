/** A literal of the source: a quoted string, one piece of a template between its `${}`, or a regular expression. */
export interface Literal {
  readonly line: number
  readonly text: string
}

/**
 * A source text taken apart. Each text keeps the line breaks, so that a position in one is the line in all; what does not belong
 * is blank.
 */
export interface Scanned {
  /** without comments, literals emptied: what runs */
  readonly code: string
  /** without comments: what runs, with its texts */
  readonly withLiterals: string
  /** comments only */
  readonly comments: string
  readonly literals: readonly Literal[]
}

type Kind = 'code' | 'comment' | 'literal'

interface Cursor {
  readonly text: string
  readonly kinds: Kind[]
  readonly literals: Literal[]
  at: number
  line: number
  /** depth of braces at which each open template's expression ends */
  readonly templates: number[]
  braces: number
  /** the last character of code that is not space: it tells a division from a regular expression */
  before: string
  word: string
}

/**
 * Tells code from comments and literals in TypeScript, by characters: there is no compiler API to ask. Text between JSX tags
 * counts as code; an apostrophe there opens nothing, because a quoted string ends on its line.
 */
export function scan(text: string): Scanned {
  const cursor: Cursor = { text, kinds: [], literals: [], at: 0, line: 1, templates: [], braces: 0, before: '', word: '' }
  while (cursor.at < text.length) step(cursor)
  const keep = (...wanted: Kind[]): string =>
    Array.from({ length: text.length }, (_, at) => {
      const character = text[at] ?? ''
      return character === '\n' || wanted.includes(cursor.kinds[at] ?? 'code') ? character : ' '
    }).join('')
  return { code: keep('code'), withLiterals: keep('code', 'literal'), comments: keep('comment'), literals: cursor.literals }
}

export function lineAt(text: string, position: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

function step(cursor: Cursor): void {
  const { text, at } = cursor
  const character = text[at] ?? ''
  if (character === '/' && text[at + 1] === '/') take(cursor, until(text, '\n', at), 'comment')
  else if (character === '/' && text[at + 1] === '*') take(cursor, until(text, '*/', at + 2) + 2, 'comment')
  else if (character === "'" || character === '"') quoted(cursor, character)
  else if (character === '`') template(cursor)
  else if (character === '/' && opensPattern(cursor)) pattern(cursor)
  else if (character === '}' && cursor.templates.at(-1) === cursor.braces) {
    cursor.templates.pop()
    template(cursor)
  } else {
    if (character === '{') cursor.braces += 1
    if (character === '}') cursor.braces -= 1
    take(cursor, at + 1, 'code')
  }
}

function until(text: string, end: string, from: number): number {
  const found = text.indexOf(end, from)
  return found === -1 ? text.length : found
}

function take(cursor: Cursor, end: number, kind: Kind): void {
  const from = cursor.at
  for (; cursor.at < Math.min(end, cursor.text.length); cursor.at += 1) {
    cursor.kinds.push(kind)
    if (cursor.text[cursor.at] === '\n') cursor.line += 1
  }
  const last = cursor.text[from] ?? ''
  if (kind === 'literal') cursor.before = '"'
  if (kind !== 'code' || /\s/.test(last)) return
  const joined = /\w/.test(last) && /\w/.test(cursor.text[from - 1] ?? '')
  cursor.word = joined ? cursor.word + last : last
  cursor.before = last
}

/** The delimiters stay code, so that emptied literals keep the shape of the code around them. */
function takeLiteral(cursor: Cursor, end: number): void {
  take(cursor, cursor.at + 1, 'code')
  if (end > cursor.at) {
    cursor.literals.push({ line: cursor.line, text: cursor.text.slice(cursor.at, end) })
    take(cursor, end, 'literal')
  }
}

function quoted(cursor: Cursor, quote: string): void {
  const end = endOf(cursor.text, cursor.at + 1, quote)
  if (end === undefined) {
    take(cursor, cursor.at + 1, 'code')
    return
  }
  takeLiteral(cursor, end)
  take(cursor, end + 1, 'code')
  cursor.before = '"'
}

/** Begins at the backtick, or at the brace that closes an expression of the template. */
function template(cursor: Cursor): void {
  const { text } = cursor
  let end = cursor.at + 1
  while (end < text.length && text[end] !== '`' && !(text[end] === '$' && text[end + 1] === '{')) end += text[end] === '\\' ? 2 : 1
  takeLiteral(cursor, end)
  if (text[end] === '$') {
    take(cursor, end + 2, 'code')
    cursor.templates.push(cursor.braces)
    cursor.before = '{'
  } else {
    take(cursor, end + 1, 'code')
    cursor.before = '"'
  }
}

/** A slash divides after a value; anywhere else it opens a regular expression. `</` closes a tag. */
function opensPattern(cursor: Cursor): boolean {
  if (cursor.before === '<') return false
  if (/[\w$]/.test(cursor.before)) return /^(return|typeof|case|of|in|await|yield)$/.test(cursor.word)
  return !/[)\]}"]/.test(cursor.before)
}

function pattern(cursor: Cursor): void {
  const { text } = cursor
  let inClass = false
  for (let end = cursor.at + 1; end < text.length && text[end] !== '\n'; end += 1) {
    const character = text[end]
    if (character === '\\') end += 1
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) {
      takeLiteral(cursor, end)
      take(cursor, end + 1, 'code')
      cursor.before = '"'
      return
    }
  }
  take(cursor, cursor.at + 1, 'code')
}

function endOf(text: string, from: number, quote: string): number | undefined {
  for (let at = from; at < text.length && text[at] !== '\n'; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === quote) return at
  }
  return undefined
}
