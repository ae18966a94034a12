import { type EpochMs, fromIso } from '@endeks/domain/time'
import t from 'tap'
import { type LineFault, LineFaults, type TimedChunk } from '../../src/faults/index.js'

const at = fromIso('2026-11-24T09:00:00Z')
const request = Uint8Array.of(0x10, 0x5b, 5, 0x60, 0x16)
const answer = { address: '5', bytes: Uint8Array.from({ length: 20 }, (_, index) => index + 1) }
const other = { address: '6', bytes: Uint8Array.of(0xf0, 0xff) }

interface Setup {
  readonly seed?: number
  readonly bus?: readonly LineFault[]
}

function faults(own: readonly LineFault[], { seed = 1, bus = [] }: Setup = {}): LineFaults {
  return new LineFaults({ seed, bus, meters: new Map([['5', own]]) })
}

/** The bytes alone of an answer whose chunks end. */
function heard(line: LineFaults, answers = [answer], now: EpochMs = at): Uint8Array {
  return Buffer.concat([...line.spoil(request, answers, now)].map((chunk) => chunk.bytes))
}

const spoiled = (fault: LineFault): Uint8Array => heard(faults([fault]))

t.test('a line without faults gives every answer as it is, at once', async (t) => {
  t.same([...faults([]).spoil(request, [answer], at)], [{ afterMs: 0, bytes: answer.bytes }])
  t.same([...faults([]).spoil(request, [], at)], [], 'and where nobody answers nothing')
})

t.test('noise stands where it is told to, and the answer is whole around it', async (t) => {
  const before = spoiled({ type: 'noise', place: 'before', bytes: 3 })
  t.same([before.length, Buffer.from(before.subarray(3))], [23, Buffer.from(answer.bytes)])
  const after = spoiled({ type: 'noise', place: 'after', bytes: 3 })
  t.same([after.length, Buffer.from(after.subarray(0, 20))], [23, Buffer.from(answer.bytes)])
  const inside = spoiled({ type: 'noise', place: 'inside', bytes: 3 })
  t.equal(inside.length, 23)
  t.same([inside[0], inside.at(-1)], [1, 20])
  const nobody = heard(faults([], { bus: [{ type: 'noise', place: 'before', bytes: 4 }] }), [])
  t.equal(nobody.length, 4, 'a line makes noise also where nobody answers')
})

t.test('bytes are lost, doubled and turned over', async (t) => {
  const all = Array.from(answer.bytes)
  const lost = Array.from(spoiled({ type: 'lost', bytes: 2 }))
  const gap = all.findIndex((byte, index) => lost[index] !== byte)
  t.same(lost, all.toSpliced(gap, 2), 'two neighbours are missing')
  const doubled = Array.from(spoiled({ type: 'doubled', bytes: 2 }))
  const again = doubled.findIndex((byte, index) => byte !== index + 1)
  t.same(doubled, all.toSpliced(again, 0, ...all.slice(again - 2, again)), 'two neighbours came twice')
  const flipped = spoiled({ type: 'flipped', bits: 1 })
  t.equal(flipped.length, 20)
  const differing = all.map((byte, index) => byte ^ (flipped[index] ?? 0)).filter((bits) => bits !== 0)
  t.equal(differing.length, 1)
  t.ok([1, 2, 4, 8, 16, 32, 64, 128].includes(differing[0] ?? 0), 'by one bit')
  t.same(spoiled({ type: 'lost', bytes: 4096 }), Buffer.alloc(0), 'no more than there are')
})

t.test('late answers, halves and echoes', async (t) => {
  const chunks = (fault: LineFault): TimedChunk[] => [...faults([fault]).spoil(request, [answer], at)]
  t.same(chunks({ type: 'late', byMs: 1500 }), [{ afterMs: 1500, bytes: answer.bytes }])
  t.same(chunks({ type: 'half' }), [{ afterMs: 0, bytes: answer.bytes.subarray(0, 10) }])
  t.same(chunks({ type: 'half', restAfterMs: 300 }), [
    { afterMs: 0, bytes: answer.bytes.subarray(0, 10) },
    { afterMs: 300, bytes: answer.bytes.subarray(10) }
  ])
  t.same(chunks({ type: 'echo' }), [
    { afterMs: 0, bytes: request },
    { afterMs: 0, bytes: answer.bytes }
  ])
  t.same(heard(faults([], { bus: [{ type: 'echo' }] }), []), Buffer.from(request), 'a converter echoes also what nobody answers')
  t.same(chunks({ type: 'silence' }), [])
})

t.test('another meter’s answer is the last that it gave, and silence before it gave one', async (t) => {
  const line = faults([{ type: 'foreign' }])
  t.equal(heard(line).length, 0)
  t.same(heard(line, [other]), Buffer.from(other.bytes))
  t.same(heard(line), Buffer.from(other.bytes))
  t.equal(heard(faults([{ type: 'foreign', address: '7' }])).length, 0)
  t.same(heard(faults([{ type: 'foreign' }]), [answer, other]), Buffer.from(other.bytes), 'at once with one that answers for itself')
})

t.test('answers at once mix to zeros where one of them sends a zero; a silent meter mixes with none', async (t) => {
  const mixed = heard(faults([]), [answer, other])
  t.same(mixed.subarray(0, 3), Buffer.of(1 & 0xf0, 2 & 0xff, 3), 'the longer one goes on alone')
  t.same(heard(faults([{ type: 'silence' }]), [answer, other]), Buffer.from(other.bytes))
})

t.test('a line that never stops sends random bytes at its pace for ever', async (t) => {
  const chunks = faults([{ type: 'babble', bytesPerSecond: 1_000 }]).spoil(request, [answer], at)
  t.same(chunks.next().value, { afterMs: 0, bytes: answer.bytes })
  let [bytes, ms] = [0, 0]
  for (const chunk of chunks) {
    ms += chunk.afterMs
    if (ms >= 60_000) break
    bytes += chunk.bytes.length
  }
  t.equal(bytes, 60_000)
})

t.test('a fault strikes by instant, by every n-th answer and by chance', async (t) => {
  const silences = (fault: Omit<Extract<LineFault, { type: 'silence' }>, 'type'>, setup?: Setup, count = 6): string => {
    const line = faults([{ type: 'silence', ...fault }], setup)
    return Array.from({ length: count }, () => (heard(line).length === 0 ? 'x' : '.')).join('')
  }
  t.equal(silences({ every: 3 }), '..x..x')
  t.equal(silences({ from: '2026-11-24T09:00:00Z' }), 'xxxxxx')
  t.equal(silences({ to: '2026-11-24T09:00:00Z' }), '......')
  const often = silences({ chance: 0.3 }, {}, 1_000)
  t.ok(Math.abs(often.split('x').length - 1 - 300) < 60, 'near to its share')
  t.equal(silences({ chance: 0.3 }, {}, 1_000), often, 'the same answers each time')
  t.not(silences({ chance: 0.3 }, { seed: 2 }, 1_000), often, 'others by another seed')
})

t.test('the same seed spoils the same bytes, another seed and the next answer others', async (t) => {
  const fault: LineFault = { type: 'noise', place: 'inside', bytes: 8 }
  const [line, same] = [faults([fault]), faults([fault])]
  const first = heard(line)
  t.same(heard(same), first)
  t.notSame(heard(line), first)
  t.notSame(heard(faults([fault], { seed: 2 })), first)
})
