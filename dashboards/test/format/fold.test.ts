import t from 'tap'
import { findFolded, fold } from '../../staff/src/format/fold.js'

t.test('IŞIK, ışık, Isik and İSİK meet', (t) => {
  for (const text of ['IŞIK', 'ışık', 'Isik', 'İSİK', 'Işık']) t.equal(fold(text), 'isik', text)
  t.equal(fold('İnci ÇAĞLAR Gömü'), 'inci caglar gomu')
  t.end()
})

t.test('a match is found in the letters as they are written', (t) => {
  t.same(findFolded('Işık Boya', 'isik'), [0, 4])
  t.same(findFolded('Yeni IŞIK', 'ışı'), [5, 8])
  t.same(findFolded('İnci', 'inci'), [0, 4])
  t.equal(findFolded('Nar Gıda', 'isik'), null)
  t.equal(findFolded('Nar Gıda', '  '), null)
  t.end()
})
