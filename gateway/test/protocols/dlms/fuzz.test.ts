import t from 'tap'
import { fuzzTest } from '../../fuzz/fuzz-test.js'
import { wholeConversations } from './fuzz-conversations.js'
import { fuzzedDlms } from './fuzz-targets.js'

t.test('every mutation of an APDU, a frame, a stream or a conversation ends in a value or in a coded failure', (t) => {
  const { outcomes, cases } = fuzzTest(t, fuzzedDlms, 20_261_124)
  t.ok((outcomes.get('value') ?? 0) > cases / 10 && outcomes.size > 15, 'the mutations reach both sides')
  t.end()
})

t.test('what is bent was good before', (t) => {
  for (const { name, outcome } of wholeConversations) t.match(outcome(), { ok: true }, name)
  t.end()
})
