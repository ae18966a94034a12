import t from 'tap'
import { readFilter } from '../../staff/src/pages/invoices/filter.js'
import { shownComponents } from '../../staff/src/pages/tariff/components.js'

t.test('the filter is read from the address, and what is malformed there is left out', (t) => {
  const address = new URLSearchParams('status=overdue&period=2026-10&year=2026&number=END2026&grossFrom=10.5&issuedTo=2026-11-05')
  t.same(readFilter(address), {
    status: 'overdue',
    period: '2026-10',
    year: 2026,
    number: 'END2026',
    grossFrom: '10.5',
    issuedTo: '2026-11-05'
  })
  t.same(readFilter(new URLSearchParams('status=lost&period=October&year=26&grossFrom=abc&participant=x&tab=1')), {})
  t.end()
})

t.test('a tariff shows its tiers, and what the page does not know of a component as it stands', (t) => {
  const [tiers, percent] = shownComponents({
    components: [
      {
        kind: 'tiers',
        code: 'water',
        name: { tr: 'Su', en: 'Water' },
        kdv: 'water',
        tiers: [
          { from: '0', to: '13', price: '57.488' },
          { from: '13', price: '61' }
        ]
      },
      { kind: 'percent', code: 'wastewater', kdv: 'service', of: ['water'], ratio: '1/3' }
    ]
  })
  t.same(tiers?.tiers, [
    { from: '0', to: '13', price: '57.488' },
    { from: '13', to: null, price: '61' }
  ])
  t.equal(percent?.rest, 'of: ["water"], ratio: 1/3')
  t.equal(percent?.name.tr, 'wastewater')
  t.same(shownComponents(null), [])
  t.end()
})
