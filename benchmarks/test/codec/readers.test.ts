import t from 'tap'
import { readFramed, readWrapped } from '../../codec/dlms.js'
import { loadProfile } from '../../codec/dlms-blocks.js'
import { readFramedNaively, readWrappedNaively } from '../../codec/dlms-naive.js'
import { readAll } from '../../codec/mbus.js'
import { heatMeterFrames, medianBytes } from '../../codec/mbus-frames.js'
import { readAllNaively } from '../../codec/mbus-naive.js'
import { overRtu, overTcp, readCounters, readCountersNaively } from '../../codec/modbus.js'

t.test('plain readers come to the same as the codecs, answer by answer', (t) => {
  for (const frame of heatMeterFrames(64)) {
    t.equal(frame.length, medianBytes)
    t.equal(readAll([frame])(1), readAllNaively([frame])(1))
  }
  for (const form of ['structures', 'compact array'] as const) {
    const { wrapper, hdlc, apduBytes } = loadProfile(form)
    const sum = readWrapped(wrapper)(1)
    t.ok(apduBytes > 25_000 && sum > 0n, form)
    t.equal(readWrappedNaively(wrapper)(1), sum)
    t.equal(readFramed(hdlc)(1), sum)
    t.equal(readFramedNaively(hdlc)(1), sum)
  }
  t.equal(readCounters(overTcp)(1), readCountersNaively('tcp', overTcp)(1))
  t.equal(readCounters(overRtu)(1), readCountersNaively('rtu', overRtu)(1))
  t.end()
})
