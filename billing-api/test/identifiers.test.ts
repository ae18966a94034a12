import t from 'tap'
import { foldName, literalLike, surrogateId } from '../src/identifiers.js'

t.test('names fold to one form however they were typed', async (t) => {
  for (const name of ['IŞIK', 'ışık', 'Isik', 'Işık', ' ISIK ']) t.equal(foldName(name), 'isik', name)
  t.equal(foldName('İnci  GIDA'), 'inci gida')
  t.equal(foldName('Çağlar Öztürk Ünlü'), 'caglar ozturk unlu')
  t.equal(foldName('İ'), foldName('i'), 'a capital dotted i is one letter')
})

t.test('a search text has no wildcards', async (t) => {
  t.equal(literalLike('50%_\\'), '50\\%\\_\\\\')
})

t.test('a number that no key can hold is no key', async (t) => {
  t.equal(surrogateId('9223372036854775807'), 9_223_372_036_854_775_807n)
  t.equal(surrogateId('9223372036854775808'), undefined)
})
