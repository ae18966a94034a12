/** One line of a stream; `undefined` stands for one that was too long and was skipped to its end. */
export type Line = string | undefined

/**
 * A stream's lines, each at most `longest` characters. Unlike node's readline it never holds more than that: a sender that
 * forgets the line ends cannot fill the memory.
 */
export async function* linesOf(chunks: AsyncIterable<string>, longest: number): AsyncGenerator<Line> {
  let held = ''
  let skipping = false
  for await (const chunk of chunks) {
    const pieces = chunk.split('\n')
    const last = pieces.pop() ?? ''
    for (const piece of pieces) {
      const line = held + piece
      held = ''
      if (skipping || line.length > longest) yield undefined
      else yield line
      skipping = false
    }
    held = skipping ? '' : held + last
    if (held.length > longest) {
      skipping = true
      held = ''
    }
  }
  if (skipping) yield undefined
  else if (held !== '') yield held
}
