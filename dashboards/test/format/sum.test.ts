import fc from 'fast-check'
import t from 'tap'
import { changePercent, compareMoney, layOn, meanQuantity, subtractMoney, sumMoney, sumQuantities } from '../../staff/src/format/sum.js'

t.test('sums are exact', (t) => {
  t.equal(sumMoney(['4820.00', '5112.40', '4977.10']), '14909.50')
  t.equal(sumMoney(['9007199254740993.01', '0.02']), '9007199254740993.03')
  t.equal(sumMoney([]), '0.00')
  t.equal(subtractMoney('15000', '14909.50'), '90.50')
  t.equal(compareMoney('10.10', '10.1'), 0)
  t.equal(sumQuantities(['38.214', '1201.786']), '1240.000')
  t.equal(meanQuantity(['1.000', '2.000', '2.000']), '1.666')
  t.equal(meanQuantity([]), '0.000')
  t.end()
})

t.test('a change in percent is rounded half away from zero', (t) => {
  t.equal(changePercent('40117902.10', '41882310.44'), '4.4')
  t.equal(changePercent('100.00', '50.00'), '-50.0')
  t.equal(changePercent('1000.00', '1000.50'), '0.1')
  t.equal(changePercent('0.00', '5.00'), null)
  t.end()
})

t.test('part of the money settles the oldest debts first', (t) => {
  const debts = [
    { id: '1', open: '4820.00' },
    { id: '2', open: '5112.40' }
  ]
  t.same(layOn('5000.00', debts), [
    { id: '1', amount: '4820.00' },
    { id: '2', amount: '180.00' }
  ])
  t.same(layOn('0.00', debts), [])
  t.end()
})

t.test('what is laid on debts adds up to the money, or to the debts', (t) => {
  const cents = (value: number) => `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`
  const amount = fc.integer({ min: 1, max: 10_000_000 })
  fc.assert(
    fc.property(amount, fc.array(amount, { maxLength: 20 }), (money, opens) => {
      const laid = layOn(
        cents(money),
        opens.map((open, index) => ({ id: String(index), open: cents(open) }))
      )
      const debt = opens.reduce((sum, open) => sum + open, 0)
      return sumMoney(laid.map((each) => each.amount)) === cents(Math.min(money, debt))
    })
  )
  t.end()
})
