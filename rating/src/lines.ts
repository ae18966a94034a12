/** A line of input, or the news that one was longer than allowed: it is answered too, so that answers match lines. */
export type InputLine = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' }

const newline = 0x0a

/**
 * Splits bytes into lines, holding no more than `limit` bytes of one. What is beyond the limit is dropped up to the next
 * newline. A last line without a newline counts; the nothing after the last newline does not.
 */
export async function* readLines(input: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<InputLine> {
  let parts: Uint8Array[] = []
  let size = 0
  const take = (): InputLine => {
    const line: InputLine = size > limit ? { kind: 'too-long' } : { kind: 'line', text: Buffer.concat(parts).toString('utf8') }
    parts = []
    size = 0
    return line
  }
  for await (const chunk of input) {
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      keep(chunk.subarray(start, end))
      yield take()
      start = end + 1
    }
    keep(chunk.subarray(start))
  }
  if (size > 0) yield take()

  function keep(part: Uint8Array): void {
    size += part.length
    if (size > limit) parts = []
    else if (part.length > 0) parts.push(part)
  }
}
