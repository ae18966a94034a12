import t from 'tap'
import { fuzzTest } from '../../fuzz/fuzz-test.js'
import { fuzzedModbus } from './fuzz-targets.js'

t.test('every mutation of a frame or a conversation ends in a value or in a coded failure', (t) => {
  const { outcomes, cases } = fuzzTest(t, fuzzedModbus, 20_261_126)
  t.ok((outcomes.get('value') ?? 0) > cases / 10 && outcomes.size > 8, 'the mutations reach both sides')
  t.end()
})
