/** A file's line with its cells. */
export interface Row {
  /** counted from 1, as an editor shows it */
  readonly line: number
  readonly cells: readonly string[]
}

const separators = [';', ',', '\t'] as const

/**
 * A maker's text as such files come: UTF-8 with or without a byte order mark, UTF-16 as a spreadsheet's "Unicode text", or
 * Windows-1254, in which a Turkish spreadsheet saves a CSV.
 *
 * @returns undefined for what is no text
 */
export function textOf(bytes: Uint8Array): string | undefined {
  const text = decode(bytes)
  return text.includes('\0') ? undefined : text
}

function decode(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (thrown) {
    if (thrown instanceof TypeError) return new TextDecoder('windows-1254').decode(bytes)
    throw thrown
  }
}

/** A line of every column that such a file may have is far shorter. */
const longestLine = 4_096

/**
 * The lines that say something: neither blank nor a remark (#), nor the line by which a spreadsheet is told the separator.
 *
 * The separator is the one that the first such line has most of.
 *
 * @param most so many of them at most
 * @returns what is wrong with the file, before any work is spent on it
 */
export function rowsOf(text: string, most: number): readonly Row[] | string {
  const telling: { readonly line: number; readonly content: string }[] = []
  for (const [index, content] of text.split(/\r\n|\n|\r/).entries()) {
    if (content.length > longestLine) return `has a line of more than ${longestLine} characters`
    if (content.trim() === '' || content.startsWith('#') || /^sep=.$/i.test(content)) continue
    if (telling.length === most) return `has more than ${most} lines`
    telling.push({ line: index + 1, content })
  }
  const first = telling[0]?.content ?? ''
  const counts = separators.map((separator) => cellsOf(first, separator).length)
  const separator = separators[counts.indexOf(Math.max(...counts))] ?? ','
  return telling.map(({ line, content }) => ({ line, cells: cellsOf(content, separator) }))
}

/** RFC 4180, but a cell ends with its line. A quote that is not closed takes the rest of the line, which then fits no column. */
function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = []
  let cell = ''
  let quoted = false
  for (let index = 0; index < line.length; index += 1) {
    const character = line[index] ?? ''
    if (character === '"' && quoted && line[index + 1] === '"') {
      cell += '"'
      index += 1
    } else if (character === '"') quoted = !quoted
    else if (character === separator && !quoted) {
      cells.push(cell)
      cell = ''
    } else cell += character
  }
  cells.push(cell)
  return cells.map((each) => each.trim())
}
