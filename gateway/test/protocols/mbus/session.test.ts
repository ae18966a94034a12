import t from 'tap'
import { type EncodableResponse, encodeResponse, type MbusFrame, readFrame } from '../../../src/protocols/mbus/codec/index.js'
import { mostFrames, newLink, Readout } from '../../../src/protocols/mbus/session.js'

const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }

function answer(more: Partial<EncodableResponse> = {}): MbusFrame {
  const frame = readFrame(encodeResponse({ address: 5, identity, access: 1, status: 0, records: [], ...more }))
  if (!frame.ok) throw new Error(frame.error.message)
  return frame.value
}

const acknowledged: MbusFrame = { type: 'acknowledge', size: 1 }
const everything = (): boolean => false
const sent = (readout: Readout): string => Buffer.from(readout.step.request).toString('hex')

t.test('a readout resets the link, then asks with the frame count bit set', (t) => {
  const readout = new Readout(5, newLink, everything)
  t.equal(sent(readout), '1040054516')
  t.match(readout.accept(acknowledged), { ok: true, value: 'continue' })
  t.equal(sent(readout), '107b058016')
  t.match(readout.accept(answer()), { ok: true, value: 'complete' })
  t.same(readout.link, { frameCountBit: false, reset: false })
  t.end()
})

t.test('the bit changes after a good answer only', (t) => {
  const readout = new Readout(5, { frameCountBit: false, reset: false }, everything)
  t.equal(sent(readout), '105b056016')
  t.match(readout.accept(answer({ address: 6 })), { ok: false, error: { code: 'MBUS_FOREIGN_ADDRESS' } })
  t.match(readout.accept(acknowledged), { ok: false, error: { code: 'MBUS_NO_DATA' } })
  t.equal(sent(readout), '105b056016')
  t.same(readout.link, newLink, 'until it ends well the link needs a reset')
  t.match(readout.accept(answer({ moreFollow: true })), { ok: true, value: 'continue' })
  t.equal(sent(readout), '107b058016')
  t.end()
})

t.test('after a readout of several frames the next one begins with a reset', (t) => {
  const readout = new Readout(5, { frameCountBit: true, reset: false }, everything)
  readout.accept(answer({ moreFollow: true }))
  t.match(readout.accept(answer()), { ok: true, value: 'complete' })
  t.equal(readout.link.reset, true)
  t.end()
})

t.test('what is wanted may be had before the last frame', (t) => {
  const readout = new Readout(5, { frameCountBit: true, reset: false }, (responses) => responses.length === 1)
  t.match(readout.accept(answer({ moreFollow: true })), { ok: true, value: 'complete' })
  t.equal(readout.link.reset, true)
  t.end()
})

t.test('a meter that never ends is left after 16 frames', (t) => {
  const readout = new Readout(5, { frameCountBit: true, reset: false }, everything)
  let frames = 1
  while (frames <= mostFrames) {
    const verdict = readout.accept(answer({ moreFollow: true }))
    if (!verdict.ok || verdict.value === 'complete') break
    frames += 1
  }
  t.equal(frames, mostFrames)
  t.end()
})
