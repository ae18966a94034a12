import t from 'tap'
import { invoiceDocument } from '../../src/documents/invoice-document.js'
import { karekod } from '../../src/documents/karekod.js'
import { receiptDocument } from '../../src/documents/receipt-document.js'
import { facts, fullFacts, invoice, meter, months, receiptFacts, utility } from './fixtures.js'

t.test('a document says what the invoice says, in the form of paper', (t) => {
  const document = invoiceDocument(facts)
  t.equal(document.gross, '80.552,18')
  t.equal(document.period, '01.10-01.11.2026')
  t.equal(document.usual.perDay, '40,0')
  t.equal(document.usual.pricePerUnit, '64,9614')
  t.equal(document.usual.overLastMonth, '+%6')
  t.equal(document.usual.overLastYear, '−%2')
  t.same(document.kdv, [
    { rate: '%1', base: '71.285,12', tax: '712,85' },
    { rate: '%20', base: '7.128,51', tax: '1.425,70' }
  ])
  t.equal(document.previousDebt, null)
  t.equal(document.desk?.digits, '2026000112213')
  t.equal(document.plainDifferences, true)
  t.end()
})

t.test('the chart has thirteen bars that end with the month of the bill', (t) => {
  const later = { month: '2026-11', amount: '3.000', lastYear: null, estimated: false }
  const { bars, average } = invoiceDocument({ ...facts, months: [...months, later] }).usual
  t.equal(bars.length, 13)
  t.same(bars.at(-1)?.label, { tr: 'Eki', en: 'Oct' })
  t.same(
    bars.map((bar) => bar.value),
    ['1.265', ...Array(8).fill(null), '1.402', null, null, '1.240'],
    'first, highest and last are labelled'
  )
  t.equal(bars[9]?.height, 1000)
  t.equal(bars[5]?.estimated, true)
  t.ok(average !== null && average > 0 && average < 1000)
  t.end()
})

t.test('a utility without history still prints', (t) => {
  const empty = invoiceDocument({ ...facts, months: [] }).usual
  t.same(empty.bars, [])
  t.equal(empty.average, null)
  const dry = invoiceDocument({ ...facts, months: [{ month: '2026-10', amount: '0.000', lastYear: null, estimated: false }] }).usual
  t.equal(dry.bars[0]?.height, 0)
  t.end()
})

t.test('indexes that do not explain the amount by themselves are not printed as a difference', (t) => {
  const withMeter = (each: ReturnType<typeof meter>) =>
    invoiceDocument({ ...facts, invoice: { ...invoice, meters: [each] } }).plainDifferences
  t.equal(withMeter(meter('1', '99990.000', '12.000', '22.000')), false, 'rollover')
  t.equal(withMeter(meter('1', '10.000', '20.000', '100.000')), false, 'multiplier')
  t.end()
})

t.test('tiers are rows of their own, exact, and their line is the sum rounded once', (t) => {
  const document = invoiceDocument(fullFacts)
  t.equal(document.tierPlaces, 4)
  t.same(
    document.lines[0]?.tiers.map((tier) => [tier.from, tier.to, tier.quantity, tier.price, tier.amount]),
    [
      ['0', '13,433', '13,433', '18,5000', '248,5105'],
      ['13,433', '20,667', '7,234', '27,7500', '200,7435'],
      ['20,667', '31', '10,333', '31,4000', '324,4562'],
      ['31', null, '14,500', '35,4310', '513,7495']
    ]
  )
  t.equal(document.lines[0]?.price, null)
  t.end()
})

t.test('the karekod carries one pair of fields for each KDV rate, and claims nothing that is not known', (t) => {
  const sent = JSON.parse(karekod(invoice, utility.taxNumber, { ettn: 'e', scenario: 'EARSIVFATURA', type: 'SATIS' }))
  t.same(sent, {
    vkntckn: '3331234566',
    avkntckn: '4840847211',
    senaryo: 'EARSIVFATURA',
    tip: 'SATIS',
    tarih: '2026-11-05',
    no: 'END2026000112213',
    ettn: 'e',
    parabirimi: 'TRY',
    malhizmettoplam: '78413.63',
    'kdvmatrah(1)': '71285.12',
    'hesaplanankdv(1)': '712.85',
    'kdvmatrah(20)': '7128.51',
    'hesaplanankdv(20)': '1425.70',
    vergidahil: '80552.18',
    odenecek: '80552.18'
  })
  const unsent = JSON.parse(karekod(invoice, utility.taxNumber, null))
  for (const field of ['ettn', 'senaryo', 'tip']) t.notOk(field in unsent, field)
  t.end()
})

t.test('a document has bounds', (t) => {
  const lines = Array.from({ length: 2_001 }, () => invoice.lines).flat()
  t.throws(() => invoiceDocument({ ...facts, invoice: { ...invoice, lines } }), { code: 'DOCUMENT_RENDERING' })
  t.throws(() => invoiceDocument({ ...facts, paymentLink: `https://x.example/${'a'.repeat(3_000)}` }), { code: 'DOCUMENT_RENDERING' })
  t.throws(() => invoiceDocument({ ...facts, invoice: { ...invoice, gross: 'much' } }), { code: 'DOCUMENT_RENDERING' })
  t.end()
})

t.test('a receipt gives change, exactly, and never the other way', (t) => {
  const document = receiptDocument(receiptFacts)
  t.same(document.tendered, { amount: '15.650,00', change: '47,55' })
  t.equal(document.taken, '24.11.2026 10:41')
  t.equal(document.invoices[0]?.short, '…000087107')
  t.same(document.invoices[0]?.period, { tr: 'Ağu 26', en: 'Aug 26' })
  t.throws(() => receiptDocument({ ...receiptFacts, tendered: '15602.44' }), { code: 'DOCUMENT_RENDERING' })
  t.end()
})
