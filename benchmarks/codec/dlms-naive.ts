/** A value as JavaScript has it, and where the next one begins. */
interface Read {
  readonly value: Value
  readonly next: number
}
type Value = number | Buffer | readonly Value[]

/** What a reader written for these answers does: header by header, value by value, no bounds but those of the buffer. */
export function readWrappedNaively(stream: Uint8Array): (count: number) => bigint {
  return repeated(() => {
    const bytes = Buffer.from(stream)
    const apdus: Buffer[] = []
    for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt16BE(at + 6))
      apdus.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt16BE(at + 6)))
    return apdus
  })
}

export function readFramedNaively(stream: Uint8Array): (count: number) => bigint {
  return repeated(() => {
    const bytes = Buffer.from(stream)
    const apdus: Buffer[] = []
    let pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt16BE(at + 1) & 0x7ff
      if (checkOf(bytes.subarray(at + 1, at + length - 1)) !== bytes.readUInt16LE(at + length - 1)) throw new RangeError('check sequence')
      // Format, an address of one byte, one of two, control and HCS stand before the information.
      pieces.push(bytes.subarray(at + 9, at + length - 1))
      if ((bytes.readUInt8(at + 1) & 0x08) === 0) {
        apdus.push(Buffer.concat(pieces).subarray(3))
        pieces = []
      }
      at += length + 2
    }
    return apdus
  })
}

function checkOf(bytes: Buffer): number {
  let check = 0xffff
  for (const byte of bytes) {
    check ^= byte
    for (let bit = 0; bit < 8; bit += 1) check = (check & 1) === 0 ? check >> 1 : (check >> 1) ^ 0x8408
  }
  return check ^ 0xffff
}

function repeated(apdus: () => readonly Buffer[]): (count: number) => bigint {
  return (count) => {
    let sum = 0n
    for (let index = 0; index < count; index += 1) sum += BigInt(sumOf(apdus()))
    return sum
  }
}

function sumOf(apdus: readonly Buffer[]): number {
  const whole = Buffer.concat(apdus.map(pieceOf))
  const rows = whole.readUInt8(0) === 0x13 ? readCompact(whole) : readTagged(whole, 0).value
  let sum = 0
  for (const row of rows as readonly (readonly Value[])[]) for (const cell of row) sum += numberOf(cell)
  return sum
}

/** What a block brings: behind tag, kind, invocation, last, number, choice and length. */
function pieceOf(apdu: Buffer): Buffer {
  const { length, next } = lengthAt(apdu, 9)
  return apdu.subarray(next, next + length)
}

function lengthAt(bytes: Buffer, at: number): { length: number; next: number } {
  const first = bytes.readUInt8(at)
  if (first < 0x80) return { length: first, next: at + 1 }
  const size = first & 0x7f
  return { length: bytes.readUIntBE(at + 1, size), next: at + 1 + size }
}

function readTagged(bytes: Buffer, at: number): Read {
  return readContents(bytes.readUInt8(at), bytes, at + 1)
}

function readContents(tag: number, bytes: Buffer, at: number): Read {
  if (tag === 6) return { value: bytes.readUInt32BE(at), next: at + 4 }
  const { length, next } = lengthAt(bytes, at)
  if (tag === 9) return { value: bytes.subarray(next, next + length), next: next + length }
  if (tag !== 1 && tag !== 2) throw new RangeError(`tag ${tag}`)
  const value: Value[] = []
  let end = next
  for (let index = 0; index < length; index += 1) {
    const read = readTagged(bytes, end)
    value.push(read.value)
    end = read.next
  }
  return { value, next: end }
}

/** A structure is described once, and its rows come without tags. */
function readCompact(bytes: Buffer): Value[] {
  const columns = bytes.readUInt8(2)
  const tags = [...bytes.subarray(3, 3 + columns)]
  const rows: Value[] = []
  for (let at = lengthAt(bytes, 3 + columns).next; at < bytes.length; ) {
    const row: Value[] = []
    for (const tag of tags) {
      const read = readContents(tag, bytes, at)
      row.push(read.value)
      at = read.next
    }
    rows.push(row)
  }
  return rows
}

function numberOf(cell: Value): number {
  if (typeof cell === 'number') return cell
  if (!Buffer.isBuffer(cell)) throw new RangeError('a cell is neither a number nor a clock')
  const utc = Date.UTC(
    cell.readUInt16BE(0),
    cell.readUInt8(2) - 1,
    cell.readUInt8(3),
    cell.readUInt8(5),
    cell.readUInt8(6),
    cell.readUInt8(7)
  )
  return utc + cell.readUInt8(8) * 10 + cell.readInt16BE(9) * 60_000
}
