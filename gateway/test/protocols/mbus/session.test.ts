import t from 'tap'
import {
  control,
  type EncodableResponse,
  encodeLong,
  encodeResponse,
  type MbusFrame,
  readFrame
} from '../../../src/protocols/mbus/codec/index.js'
import { mostFrames, newLink, Session } from '../../../src/protocols/mbus/session.js'

const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }

function answer(more: Partial<EncodableResponse> = {}): MbusFrame {
  const frame = readFrame(encodeResponse({ address: 5, identity, access: 1, status: 0, records: [], ...more }))
  if (!frame.ok) throw new Error(frame.error.message)
  return frame.value
}

const acknowledged: MbusFrame = { type: 'acknowledge', size: 1 }
const all = { data: {} }
const sent = (readout: Session): string => Buffer.from(readout.step.request).toString('hex')

t.test('a readout resets the link, then asks with the frame count bit set', (t) => {
  const readout = new Session(5, newLink, all)
  t.equal(sent(readout), '1040054516')
  t.match(readout.accept(acknowledged), { ok: true, value: 'continue' })
  t.equal(sent(readout), '107b058016')
  t.match(readout.accept(answer()), { ok: true, value: 'complete' })
  t.same(readout.link, { frameCountBit: false, reset: false })
  t.end()
})

t.test('the bit changes after a good answer only', (t) => {
  const readout = new Session(5, { frameCountBit: false, reset: false }, all)
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
  const readout = new Session(5, { frameCountBit: true, reset: false }, all)
  readout.accept(answer({ moreFollow: true }))
  t.match(readout.accept(answer()), { ok: true, value: 'complete' })
  t.equal(readout.link.reset, true)
  t.end()
})

t.test('what is wanted may be had before the last frame', (t) => {
  const readout = new Session(5, { frameCountBit: true, reset: false }, { data: { enough: (responses) => responses.length === 1 } })
  t.match(readout.accept(answer({ moreFollow: true })), { ok: true, value: 'complete' })
  t.equal(readout.link.reset, true)
  t.end()
})

t.test('a meter that never ends is left after 16 frames', (t) => {
  const readout = new Session(5, { frameCountBit: true, reset: false }, all)
  let frames = 1
  while (frames <= mostFrames) {
    const verdict = readout.accept(answer({ moreFollow: true, access: frames }))
    if (!verdict.ok || verdict.value === 'complete') break
    frames += 1
  }
  t.equal(frames, mostFrames)
  t.end()
})

t.test('a frame that was there before is not the next one, and ends the readout if it is all that comes', (t) => {
  const late = new Session(5, { frameCountBit: true, reset: false }, all)
  late.accept(answer({ moreFollow: true }))
  t.match(late.accept(answer({ moreFollow: true })), { ok: false, error: { code: 'MBUS_REPEATED' } })
  t.equal(sent(late), '105b056016', 'with the bit that it had')
  t.match(late.accept(answer({ moreFollow: true, access: 2 })), { ok: true, value: 'continue' })
  t.match(late.accept(answer({ moreFollow: true })), { ok: false, error: { code: 'MBUS_REPEATED' } }, 'not only the last one')
  t.match(late.accept(answer({ access: 3 })), { ok: true, value: 'complete' })
  t.equal(late.responses.length, 3)
  const simple = new Session(5, { frameCountBit: true, reset: false }, all)
  simple.accept(answer({ moreFollow: true }))
  for (let repeat = 0; repeat < 2; repeat++)
    t.match(simple.accept(answer({ moreFollow: true })), { ok: false, error: { code: 'MBUS_REPEATED' } })
  t.match(simple.accept(answer({ moreFollow: true })), { ok: true, value: 'complete' })
  t.equal(simple.link.reset, true)
  const patient = new Session(5, { frameCountBit: true, reset: false }, { ...all, tries: 5 })
  patient.accept(answer({ moreFollow: true }))
  for (let repeat = 1; repeat < 5; repeat++)
    t.match(patient.accept(answer({ moreFollow: true })), { ok: false }, 'each of five tries but the last may be answered late')
  t.match(patient.accept(answer({ access: 2 })), { ok: true, value: 'complete' })
  t.equal(patient.responses.length, 2)
  t.end()
})

t.test('a meter is selected by its number, read at 253 and left unselected', (t) => {
  const target = { id: '12345678', manufacturer: 'KAM' }
  const session = new Session(target, newLink, all)
  t.same(session.step.mayBeSilent, true)
  t.equal(sent(session), '1040fd3d16', 'nobody may be selected before')
  t.equal(session.pass(), 'continue')
  t.equal(sent(session), '680b0b6853fd52785634122d2cffff0d16')
  t.match(session.accept(answer()), { ok: false, error: { code: 'MBUS_CONTROL_FIELD' } })
  t.match(session.accept(acknowledged), { ok: true, value: 'continue' })
  t.equal(sent(session), '107bfd7816', 'a selected meter begins its count anew')
  t.match(session.accept(answer({ identity: { ...identity, id: '12345679' } })), { ok: false, error: { code: 'MBUS_FOREIGN_IDENTITY' } })
  t.match(session.accept(answer({ identity: { ...identity, manufacturer: 'ELS' } })), {
    ok: false,
    error: { code: 'MBUS_FOREIGN_IDENTITY' }
  })
  t.match(session.accept(answer({ moreFollow: true })), { ok: true, value: 'continue' })
  t.equal(sent(session), '105bfd5816')
  t.match(session.accept(answer({ access: 2 })), { ok: true, value: 'continue' })
  t.equal(sent(session), '1040fd3d16')
  t.same(session.link, newLink, 'still selected')
  t.match(session.accept(acknowledged), { ok: true, value: 'complete' })
  t.equal(session.link.reset, false)
  const next = new Session(target, session.link, all)
  t.equal(sent(next), '680b0b6853fd52785634122d2cffff0d16', 'nobody is selected, so that nobody has to be deselected')
  t.end()
})

t.test('commands come before data and count as requests do', (t) => {
  const session = new Session(5, newLink, { commands: [{ kind: 'application-reset', subcode: 0 }], data: {} })
  session.accept(acknowledged)
  t.equal(sent(session), '6804046873055000c816')
  t.match(session.accept(answer()), { ok: false, error: { code: 'MBUS_CONTROL_FIELD' } })
  t.match(session.accept(acknowledged), { ok: true, value: 'continue' })
  t.equal(sent(session), '105b056016')
  t.match(session.accept(answer()), { ok: true, value: 'complete' })
  t.same(session.link, { frameCountBit: true, reset: false })
  const named = new Session(254, { frameCountBit: true, reset: false }, { commands: [{ kind: 'set-address', address: 8 }] })
  t.equal(sent(named), '6806066873fe51017a084516')
  t.match(named.accept(acknowledged), { ok: true, value: 'complete' })
  const all = new Session(255, newLink, { commands: [{ kind: 'application-reset' }] })
  t.equal(all.step.mayBeSilent && all.pass(), 'continue')
  t.equal(all.step.mayBeSilent && all.pass(), 'complete', 'nobody answers a broadcast')
  t.end()
})

t.test('alarms are asked for by class 1, and an acknowledgement means none', (t) => {
  const session = new Session(5, { frameCountBit: true, reset: false }, { data: { requestClass: 1 } })
  t.equal(sent(session), '107a057f16')
  t.match(session.accept(acknowledged), { ok: true, value: 'complete' })
  const alarmed = new Session(5, session.link, { data: { requestClass: 1 } })
  t.equal(sent(alarmed), '105a055f16')
  const alarm = readFrame(encodeLong(control.respondUserData, 5, 0x71, Uint8Array.of(0x10)))
  t.match(alarm.ok && alarmed.accept(alarm.value), { ok: true, value: 'complete' })
  t.match(alarmed.responses[0]?.records[0], { quantity: 'alarm-status', value: { raw: 16n } })
  t.end()
})

t.test('who answers is known though its data can not be read', (t) => {
  const encrypted = answer({ security: { mode: 5, key: new Uint8Array(16) } })
  const strict = new Session(5, { frameCountBit: true, reset: false }, all)
  t.match(strict.accept(encrypted), { ok: false, error: { code: 'MBUS_ENCRYPTED' } })
  const tolerant = new Session(5, { frameCountBit: true, reset: false }, { data: { tolerant: true } })
  t.match(tolerant.accept(encrypted), { ok: true, value: 'complete' })
  t.same(tolerant.identity, identity)
  t.equal(tolerant.trouble?.code, 'MBUS_ENCRYPTED')
  const keyed = new Session(5, { frameCountBit: true, reset: false }, { data: { key: new Uint8Array(16) } })
  t.match(keyed.accept(encrypted), { ok: true, value: 'complete' })
  t.end()
})
