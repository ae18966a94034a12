import { oneOf, type Random } from './random.js'

type Mutation = (frame: Uint8Array, pick: Random, other: Uint8Array) => Uint8Array

const none = new Uint8Array(0)
const most = { inserted: 8, removed: 8, repeated: 32, changes: 3 }
/** Where counters of one byte end, and what begins longer forms of a length. */
const edges = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff] as const

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(pieces))
}

function changed(frame: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const bytes = Uint8Array.from(frame)
  if (at < bytes.length) bytes[at] = change(bytes[at] ?? 0)
  return bytes
}

const flip: Mutation = (frame, pick) => changed(frame, pick(frame.length), (byte) => byte ^ (1 << pick(8)))

const replace: Mutation = (frame, pick) => changed(frame, pick(frame.length), () => pick(256))

const cut: Mutation = (frame, pick) => frame.slice(0, pick(frame.length + 1))

const insert: Mutation = (frame, pick) => {
  const at = pick(frame.length + 1)
  const added = Uint8Array.from({ length: 1 + pick(most.inserted) }, () => pick(256))
  return joined(frame.subarray(0, at), added, frame.subarray(at))
}

const remove: Mutation = (frame, pick) => {
  const at = pick(frame.length)
  return joined(frame.subarray(0, at), frame.subarray(at + 1 + pick(most.removed)))
}

/** The line that says something twice. */
const repeat: Mutation = (frame, pick) => {
  const from = pick(frame.length)
  const to = from + 1 + pick(most.repeated)
  return joined(frame.subarray(0, to), frame.subarray(from, to), frame.subarray(to))
}

const splice: Mutation = (frame, pick, other) => joined(frame.subarray(0, pick(frame.length + 1)), other.subarray(pick(other.length + 1)))

/** A byte that could be the length of what follows it becomes a little or much too large or small. */
const lie: Mutation = (frame, pick) => {
  let at = pick(frame.length)
  for (let tries = 0; tries < 8 && !couldBeLength(frame, at); tries += 1) at = pick(frame.length)
  return changed(frame, at, (byte) => (pick(2) === 0 ? byte + oneOf([-2, -1, 1, 2], pick) : oneOf(edges, pick)))
}

function couldBeLength(frame: Uint8Array, at: number): boolean {
  const byte = frame[at] ?? 0
  return byte > 0 && at + byte < frame.length
}

const mutations = [flip, replace, cut, insert, remove, repeat, splice, lie] as const satisfies readonly Mutation[]

/** One frame of the corpus after one to three changes, each of any kind. */
export function mutated(corpus: readonly Uint8Array[], pick: Random): Uint8Array {
  const any = (): Uint8Array => corpus[pick(corpus.length)] ?? none
  let frame = any()
  for (let changes = 1 + pick(most.changes); changes > 0; changes -= 1) {
    if (frame.length > 0) frame = oneOf(mutations, pick)(frame, pick, any())
  }
  return frame
}
