import { failure, type Result, success } from '@endeks/domain/result'
import { codecs } from '../codec/registry.js'
import type { DecodeFailure, FrameContext, ProtocolCodec } from '../protocols/protocol.js'

/** A frame of every protocol is far shorter; a line beyond this is refused unread. */
export const longestLine = 1_048_576

/** Describes one frame given as hex. */
export function decodeHex(codec: ProtocolCodec, hex: string, context?: FrameContext): string {
  const bytes = bytesOf(hex)
  return answer(codec, bytes.ok ? codec.describeFrame(bytes.value, context) : bytes)
}

/** Answers one line `{"hex": ..., "key"?: ..., "profile"?: ...}`, whatever stands in it. */
export function decodeLine(codec: ProtocolCodec, line: string): string {
  const input = parseLine(line)
  if (!input.ok) return answer(codec, input)
  const { hex, ...context } = input.value
  return decodeHex(codec, hex, context)
}

/** @returns undefined for a protocol that there is no codec for */
export function codecNamed(name: string): ProtocolCodec | undefined {
  return codecs.get(name)
}

export function answerTooLong(codec: ProtocolCodec): string {
  return answer(codec, failure({ code: 'LINE_TOO_LONG', message: `a line has at most ${longestLine} characters`, offset: longestLine }))
}

function answer(codec: ProtocolCodec, result: Result<Readonly<Record<string, unknown>>, DecodeFailure>): string {
  if (result.ok) return JSON.stringify({ ok: true, protocol: codec.name, ...result.value }, plain)
  const { code, message, offset } = result.error
  return JSON.stringify({ ok: false, code, message, ...(offset === undefined ? {} : { offset }) })
}

/** JSON has no bigint and no bytes: decimal text and hex. */
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
}

function parseLine(line: string): Result<FrameContext & { readonly hex: string }, DecodeFailure> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    // The message may quote the line, and a key may stand in it: only the place is told.
    const place = /position (\d+)/.exec(thrown.message)?.[1]
    return failure({ code: 'LINE_MALFORMED', message: place === undefined ? 'not JSON' : `not JSON from character ${place} on` })
  }
  if (typeof value !== 'object' || value === null || !('hex' in value) || typeof value.hex !== 'string') {
    return failure({ code: 'LINE_MALFORMED', message: 'a line is an object with "hex", a text' })
  }
  const key = 'key' in value ? bytesOf(value.key) : undefined
  if (key?.ok === false) return failure({ code: 'KEY_MALFORMED', message: 'the key is not hex' })
  return success({
    hex: value.hex,
    ...(key === undefined ? {} : { key: key.value }),
    ...('profile' in value ? { profile: value.profile } : {})
  })
}

function bytesOf(value: unknown): Result<Uint8Array, DecodeFailure> {
  const text = typeof value === 'string' ? value.replace(/[\s:]/g, '') : ''
  const digits = /^[0-9A-Fa-f]*/.exec(text)?.[0].length ?? 0
  if (typeof value !== 'string' || digits < text.length || digits % 2 === 1) {
    return failure({ code: 'HEX_MALFORMED', message: 'not pairs of hexadecimal digits', offset: Math.floor(digits / 2) })
  }
  return success(Uint8Array.from(Buffer.from(text, 'hex')))
}
