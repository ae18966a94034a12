import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { readingsOf } from '@endeks/domain/wire'
import { encode } from 'cborg'
import fc from 'fast-check'
import t from 'tap'
import { expandedBytes, readContent } from '../../src/formats/content.js'
import { readingsMessage, start } from '../support/site.js'

const message = JSON.parse(readingsMessage(7, [{ address: '1', serial: '00012345', values: [[start, 123_456_789_012_345_678n]] }]))
const hash = createHash('sha256').digest()

function readings(payload: Buffer): ReturnType<typeof readingsOf> {
  const content = readContent(payload)
  return content.ok ? readingsOf(content.value) : content
}

/** The message as a gateway that writes CBOR has it: bytes as bytes, integers as integers. */
function natural(raw: unknown): Record<string, unknown> {
  const exchanges = message.exchanges.map((each: Record<string, string>) => ({
    ...each,
    request: Buffer.from(each.request ?? '', 'base64'),
    response: Buffer.from(each.response ?? '', 'base64'),
    sha256: Buffer.from(each.sha256 ?? '', 'hex'),
    profile: Buffer.from(each.profile ?? '', 'hex')
  }))
  return { ...message, exchanges, readings: { ...message.readings, raw: [raw] } }
}

t.test('the same message is the same, in JSON, in CBOR with texts or bytes, and in gzip', (t) => {
  const json = Buffer.from(JSON.stringify(message))
  const expected = readings(json)
  t.ok(expected.ok)
  const selfDescribed = Buffer.from('d9d9f7', 'hex')
  for (const raw of ['123456789012345678', 123_456_789_012_345_678n]) {
    const cbor = Buffer.from(encode(natural(raw)))
    for (const payload of [cbor, Buffer.concat([selfDescribed, cbor]), gzipSync(cbor), gzipSync(json)]) t.same(readings(payload), expected)
  }
  t.same(readings(Buffer.from(encode(message))), expected)
  t.match(readings(Buffer.from(encode(natural(5)))), { ok: true, value: { readings: [{ raw: 5n }] } })
  t.match(readings(Buffer.from(encode(natural(5.5)))), { ok: false, error: { code: 'MESSAGE_MALFORMED' } })
  t.match(readings(Buffer.from(encode(natural(hash)))), { ok: false, error: { code: 'MESSAGE_MALFORMED' } })
  t.end()
})

t.test('every truncation of any notation is a coded failure', (t) => {
  for (const payload of [Buffer.from(JSON.stringify(message)), Buffer.from(encode(natural(5))), gzipSync(JSON.stringify(message))]) {
    for (let length = 0; length < payload.length; length += 1) {
      const read = readings(payload.subarray(0, length))
      if (read.ok || read.error.code !== 'MESSAGE_MALFORMED') t.fail(`${length} bytes of ${payload.length} are read`)
    }
  }
  t.end()
})

t.test('CBOR that means two things, or nests without end, is refused', (t) => {
  const refused = (hex: string, why: RegExp): void => {
    const read = readContent(Buffer.from(hex, 'hex'))
    t.match(read, { ok: false, error: { code: 'MESSAGE_MALFORMED', message: why } })
  }
  refused('a2617601617602', /repeat map key/)
  refused('bf617601ff', /indefinite/)
  refused(`a16176${'81'.repeat(100_000)}01`, /more than 8 levels/)
  refused('a1617601ff', /too many terminals/)
  refused('a16176fb7ff8000000000000', /NaN/)
  refused('a16176c249010000000000000000', /tag not supported/)
  t.match(readContent(Buffer.from('a1695f5f70726f746f5f5fa0', 'hex')), { ok: true }, 'a name that means something to JavaScript is a name')
  t.end()
})

t.test('what expands without measure is cut off, and only one wrapping is taken off', (t) => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20))
  t.match(readContent(bomb), { ok: false, error: { code: 'MESSAGE_TOO_LARGE' } })
  t.match(readContent(gzipSync(Buffer.alloc(expandedBytes + 1, 0x20))), { ok: false, error: { code: 'MESSAGE_TOO_LARGE' } })
  t.equal(gunzipSync(gzipSync(bomb)).length, bomb.length)
  t.match(readContent(gzipSync(gzipSync('{}'))), { ok: false, error: { code: 'MESSAGE_MALFORMED' } })
  t.match(readContent(Buffer.concat([gzipSync('{}'), Buffer.from('more')])), { ok: false, error: { code: 'MESSAGE_MALFORMED' } })
  t.end()
})

t.test('no bytes at all throw', (t) => {
  const starts = [Buffer.alloc(0), Buffer.from('{'), Buffer.from([0x1f, 0x8b]), Buffer.from([0xa5]), Buffer.from('d9d9f7a5', 'hex')]
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 60 }), (head, tail) => {
      const read = readings(Buffer.concat([head, tail]))
      return !read.ok && (read.error.code === 'MESSAGE_MALFORMED' || read.error.code === 'MESSAGE_TOO_LARGE')
    }),
    { numRuns: 500 }
  )
  const cbor = Buffer.from(encode(natural(5)))
  fc.assert(
    fc.property(fc.nat(cbor.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const changed = Buffer.from(cbor)
      changed[place] = (changed[place] ?? 0) ^ change
      const read = readings(changed)
      return read.ok || read.error.code === 'MESSAGE_MALFORMED'
    }),
    { numRuns: 500 }
  )
  t.end()
})
