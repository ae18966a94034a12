import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { codecs } from '../codec/registry.js'
import type { ProtocolCodec } from '../protocols/protocol.js'
import { answerTooLong, codecNamed, decodeHex, decodeLine, longestLine } from './decode.js'
import { linesOf } from './lines.js'
import { type ExitCode, wrongUse } from './tools.js'

interface DecodeValues {
  readonly protocol?: string | undefined
  readonly lines?: boolean | undefined
}

/** Describes one frame, or each line of a stream. */
export async function decode(positionals: readonly string[], values: DecodeValues, input: Readable, output: Writable): Promise<ExitCode> {
  const codec = codecNamed(values.protocol ?? '')
  if (codec === undefined) throw wrongUse(`--protocol is one of ${[...codecs.keys()].join(', ')}`)
  if (positionals.length > 1) throw wrongUse('decode takes one frame')
  return values.lines === true ? decodeLines(codec, input, output) : decodeOne(codec, positionals[0], input, output)
}

async function decodeOne(codec: ProtocolCodec, argument: string | undefined, input: Readable, output: Writable): Promise<ExitCode> {
  let hex = argument ?? ''
  if (argument === undefined) {
    for await (const chunk of input.setEncoding('utf8')) {
      hex += chunk
      if (hex.length > longestLine) break
    }
  }
  const answer = hex.length > longestLine ? answerTooLong(codec) : decodeHex(codec, hex)
  output.write(`${answer}\n`)
  return answer.startsWith('{"ok":false') ? 1 : 0
}

async function decodeLines(codec: ProtocolCodec, input: Readable, output: Writable): Promise<ExitCode> {
  for await (const line of linesOf(input.setEncoding('utf8'), longestLine)) {
    const answer = line === undefined ? answerTooLong(codec) : decodeLine(codec, line)
    if (!output.write(`${answer}\n`)) await once(output, 'drain')
  }
  return 0
}
