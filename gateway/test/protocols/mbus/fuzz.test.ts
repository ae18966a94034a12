import t from 'tap'
import { mbusCodec } from '../../../src/protocols/mbus/codec/index.js'
import { fuzzTest } from '../../fuzz/fuzz-test.js'
import { fuzzedMbus, goodFrames } from './fuzz-targets.js'

t.test('every mutation of a frame ends in a value or in a coded failure', (t) => {
  const { outcomes, cases } = fuzzTest(t, fuzzedMbus, 20_260_901)
  t.ok((outcomes.get('value') ?? 0) > cases / 10, 'many reach the records')
  t.end()
})

t.test('every cut of a frame is a failure', (t) => {
  for (const frame of goodFrames)
    for (let length = 0; length < frame.length; length++)
      t.match(mbusCodec.describeFrame(frame.subarray(0, length)), { ok: false, error: { code: /^MBUS_(TRUNCATED|EMPTY)$/ } })
  t.end()
})
