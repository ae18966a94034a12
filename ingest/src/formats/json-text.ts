import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'

/** A value of a JSON text with the place where it stands. Numbers keep their literal: as doubles, some would be others. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, JsonNode & { readonly nameStart: number }> }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'number'; readonly literal: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: 'true' | 'false' | 'null' }
)

const mostDepth = 16
/** Each takes some hundred bytes; a message of ours has a tenth of it. */
const mostNodes = 100_000

/** RFC 8259, 2, 3 and 6; sticky, so that each is looked for where the reader stands. */
const space = /[ \t\n\r]*/y
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /true|false|null/y

/** A JSON text (RFC 8259) whose numbers stay as they are written. A name that is there twice is refused: which one counts, nobody knows. */
export function readJsonText(text: string): Result<JsonNode, AppError> {
  try {
    return success(new JsonReader(text).whole())
  } catch (thrown) {
    if (thrown instanceof AppError) return failure(thrown)
    throw thrown
  }
}

class JsonReader {
  readonly #text: string
  #position = 0
  #nodes = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): JsonNode {
    const node = this.#value(0)
    this.#take(space)
    if (this.#position < this.#text.length) throw this.#malformed('the text goes on after its value')
    return node
  }

  #value(depth: number): JsonNode {
    this.#take(space)
    this.#nodes += 1
    if (depth > mostDepth) throw this.#malformed(`more than ${mostDepth} levels`)
    if (this.#nodes > mostNodes) throw this.#malformed(`more than ${mostNodes} values`)
    const start = this.#position
    const first = this.#text[start]
    if (first === '{') return this.#object(start, depth)
    if (first === '[') return this.#array(start, depth)
    if (first === '"') {
      const text = this.#string()
      return { kind: 'string', text, start, end: this.#position }
    }
    const literal = this.#take(number)
    if (literal !== undefined) return { kind: 'number', literal, start, end: this.#position }
    const text = this.#take(word)
    if (text === 'true' || text === 'false' || text === 'null') return { kind: 'literal', text, start, end: this.#position }
    throw this.#malformed('a value is missing')
  }

  #object(start: number, depth: number): JsonNode {
    const members = new Map<string, JsonNode & { readonly nameStart: number }>()
    this.#position += 1
    if (!this.#sees('}')) {
      do {
        this.#take(space)
        const nameStart = this.#position
        const name = this.#string()
        if (members.has(name)) throw this.#malformed(`the name ${JSON.stringify(name.slice(0, 64))} is there twice`)
        if (!this.#sees(':')) throw this.#malformed('a colon is missing')
        members.set(name, { ...this.#value(depth + 1), nameStart })
      } while (this.#sees(','))
      if (!this.#sees('}')) throw this.#malformed('a comma or a closing brace is missing')
    }
    return { kind: 'object', members, start, end: this.#position }
  }

  #array(start: number, depth: number): JsonNode {
    const items: JsonNode[] = []
    this.#position += 1
    if (!this.#sees(']')) {
      do items.push(this.#value(depth + 1))
      while (this.#sees(','))
      if (!this.#sees(']')) throw this.#malformed('a comma or a closing bracket is missing')
    }
    return { kind: 'array', items, start, end: this.#position }
  }

  #string(): string {
    const start = this.#position
    if (this.#text[start] !== '"') throw this.#malformed('a text in quotes is missing')
    let end = start + 1
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1
    try {
      // Escapes and control characters are judged by those who wrote the rule.
      const value = String(JSON.parse(this.#text.slice(start, end + 1)))
      this.#position = end + 1
      return value
    } catch (thrown) {
      if (thrown instanceof SyntaxError) throw this.#malformed(`a text in quotes that is none: ${thrown.message}`)
      throw thrown
    }
  }

  /** Passes the sign, after any space, if it is there. */
  #sees(sign: string): boolean {
    this.#take(space)
    if (this.#text[this.#position] !== sign) return false
    this.#position += 1
    return true
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#position += found.length
    return found
  }

  #malformed(why: string): AppError {
    return new AppError('MESSAGE_MALFORMED', `not JSON as we take it: ${why} at character ${this.#position}`)
  }
}
