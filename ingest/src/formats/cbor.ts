import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import { type DecodeOptions, decode, Tokenizer, Type } from 'cborg'

type DecodeTokenizer = NonNullable<DecodeOptions['tokenizer']>

/** Message, list of exchanges, exchange, identity: nothing of ours lies deeper. */
const mostDepth = 8

const decodeOptions = {
  allowBigInt: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  rejectDuplicateMapKeys: true
} as const

/** How each field that is bytes by nature is written where there are only texts. */
const byteFields: Readonly<Record<string, BufferEncoding>> = {
  request: 'base64',
  response: 'base64',
  sha256: 'hex',
  profile: 'hex',
  hash: 'hex'
}

/**
 * A message in CBOR (RFC 8949) as the value that its JSON would give, so that one schema judges both. Byte strings may stand for
 * evidence and hashes, and integers for raw values. Lengths are definite, keys are texts and no key is there twice; tags are none.
 */
export function readCbor(bytes: Uint8Array): Result<unknown, AppError> {
  try {
    return success(inWireForm(decode(bytes, { ...decodeOptions, tokenizer: new ShallowTokenizer(bytes) })))
  } catch (thrown) {
    // cborg throws plain errors for every fault of the bytes.
    if (thrown instanceof Error) return failure(new AppError('MESSAGE_MALFORMED', `not CBOR as we take it: ${thrown.message}`))
    throw thrown
  }
}

/** The decoder recurses with the data; a message of a hundred thousand open arrays ends here instead. */
class ShallowTokenizer implements DecodeTokenizer {
  readonly #tokens: DecodeTokenizer
  /** of each open container, how many items are to come */
  readonly #open: number[] = []

  constructor(bytes: Uint8Array) {
    this.#tokens = new Tokenizer(bytes, decodeOptions)
  }

  done(): boolean {
    return this.#tokens.done()
  }

  pos(): number {
    return this.#tokens.pos()
  }

  next(): ReturnType<DecodeTokenizer['next']> {
    const token = this.#tokens.next()
    const last = this.#open.length - 1
    if (last >= 0) this.#open[last] = (this.#open[last] ?? 0) - 1
    const items = Type.equals(token.type, Type.array) ? 1 : Type.equals(token.type, Type.map) ? 2 : 0
    if (items > 0) this.#open.push(items * Number(token.value))
    while (this.#open.at(-1) === 0) this.#open.pop()
    if (this.#open.length > mostDepth) throw new AppError('MESSAGE_MALFORMED', `more than ${mostDepth} levels at byte ${this.pos()}`)
    return token
  }
}

function inWireForm(value: unknown, field = ''): unknown {
  if (value instanceof Uint8Array) {
    const encoding = byteFields[field]
    return encoding === undefined ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(encoding)
  }
  if (typeof value === 'bigint' || (field === 'raw' && Number.isSafeInteger(value))) return String(value)
  if (Array.isArray(value)) return value.map((each) => inWireForm(each, field))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inWireForm(each, name)]))
  }
  return value
}
