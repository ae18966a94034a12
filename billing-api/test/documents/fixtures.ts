import type { InvoiceFacts } from '../../src/documents/invoice-document.js'
import type { ReceiptFacts } from '../../src/documents/receipt-document.js'
import type { ConsumptionMonth } from '../../src/documents/usual.js'

type Invoice = InvoiceFacts['invoice']

export const utility = {
  name: 'Endeks Organize Sanayi Bölgesi',
  taxNumber: '3331234566',
  taxOffice: 'Kocasinan V.D.',
  address: 'Atatürk Bulvarı No 1, 38070 Melikgazi / Kayseri',
  iban: 'TR330006100519786457841326',
  zone: 'Europe/Istanbul'
} as const

/** Thirteen months of a paint works, October 2025 to October 2026, one of them estimated. */
export const months: readonly ConsumptionMonth[] = (
  [
    ['2025-10', '1265.000', '1210.000'],
    ['2025-11', '1180.000', '1195.500'],
    ['2025-12', '1090.000', '1120.000'],
    ['2026-01', '980.000', '1010.000'],
    ['2026-02', '1010.000', '990.000'],
    ['2026-03', '1105.000', '1060.000'],
    ['2026-04', '1150.000', '1180.000'],
    ['2026-05', '1220.000', '1205.000'],
    ['2026-06', '1310.000', '1260.000'],
    ['2026-07', '1402.250', '1330.000'],
    ['2026-08', '760.000', '810.000'],
    ['2026-09', '1170.000', '1225.000'],
    ['2026-10', '1240.000', '1265.000']
  ] as const
).map(([month, amount, lastYear]) => ({ month, amount, lastYear, estimated: month === '2026-03' }))

/** Water passed through with the zone's share on it: the bill of BILLING.md at 1,240 m³. */
export const invoice: Invoice = {
  id: '112213',
  label: 'END2026000112213',
  participant: { registryNo: '100482', name: 'Işık Boya San. ve Tic. A.Ş.' },
  subscription: 'SU-100482-1',
  period: '2026-10',
  issueDate: '2026-11-05',
  dueDate: '2026-11-16',
  gross: '80552.18',
  open: '80552.18',
  status: 'open',
  currency: 'TRY',
  issuedAt: '2026-11-05T06:30:00Z',
  issuedBy: 'a.yildiz',
  receiver: {
    name: 'Işık Boya San. ve Tic. A.Ş.',
    taxNumber: '4840847211',
    taxOffice: 'Mimarsinan V.D.',
    address: '12. Cadde No 14\n38070 Melikgazi / Kayseri',
    registryNo: '100482',
    properties: ['142/7']
  },
  from: '2026-09-30T21:00:00Z',
  to: '2026-10-31T21:00:00Z',
  days: 31,
  consumption: { value: '1240.000', unit: 'm3' },
  net: '78413.63',
  tax: '2138.55',
  lines: [
    line({ line: 1, tr: 'Su', en: 'Water', quantity: '1240.000', rate: '57.488', net: '71285.12', kdvRate: '0.01', kdv: '712.85' }),
    line({
      line: 2,
      tr: 'OSB payı',
      en: 'OSB share',
      quantity: '1240.000',
      rate: '5.7488',
      net: '7128.51',
      kdvRate: '0.20',
      kdv: '1425.70'
    })
  ],
  kdv: [
    { rate: '0.01', base: '71285.12', tax: '712.85' },
    { rate: '0.20', base: '7128.51', tax: '1425.70' }
  ],
  meters: [meter('68204417', '48211.000', '49451.000', '1240.000')],
  collections: [],
  run: { id: '12', digest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }
}

export const facts: InvoiceFacts = {
  utility,
  invoice,
  previousDebt: { amount: '0.00', asOf: '2026-11-05' },
  months,
  quality: { measuredDays: 30, estimatedDays: 1 },
  objectionDays: 7
}

/** Everything at once: tiers, an earlier debt, an e-document, a payment link, a part already paid, two meters with two registers. */
export const fullFacts: InvoiceFacts = {
  ...facts,
  invoice: {
    ...invoice,
    gross: '1912.07',
    open: '912.07',
    net: '1887.96',
    tax: '24.11',
    consumption: { value: '45.500', unit: 'm3' },
    lines: [
      {
        ...line({ line: 1, tr: 'Su', en: 'Water', quantity: '45.500', rate: null, net: '1287.46', kdvRate: '0.01', kdv: '12.87' }),
        slices: [
          { from: '0.000', to: '13.433', quantity: '13.433', rate: '18.5', amount: '248.5105' },
          { from: '13.433', to: '20.667', quantity: '7.234', rate: '27.75', amount: '200.7435' },
          { from: '20.667', to: '31.000', quantity: '10.333', rate: '31.4', amount: '324.4562' },
          { from: '31.000', to: null, quantity: '14.500', rate: '35.431', amount: '513.7495' }
        ]
      },
      line({
        line: 2,
        tr: 'Atık su, suyun üçte biri',
        en: 'Wastewater, a third of water',
        quantity: null,
        rate: null,
        net: '429.15',
        kdvRate: '0.01',
        kdv: '4.29'
      }),
      line({ line: 3, tr: 'Bakım', en: 'Maintenance', quantity: null, rate: null, net: '37.50', kdvRate: '0.20', kdv: '7.50' }),
      line({
        line: 4,
        tr: 'Düzeltme, Eylül 2026',
        en: 'Adjustment, September 2026',
        quantity: '-2.000',
        rate: '27.75',
        net: '-55.50',
        kdvRate: '0.01',
        kdv: '-0.55'
      }),
      line({ line: 5, tr: 'Gecikme zammı', en: 'Late fee', quantity: null, rate: null, net: '189.35', kdvRate: '0.00', kdv: '0.00' })
    ],
    kdv: [
      { rate: '0.00', base: '189.35', tax: '0.00' },
      { rate: '0.01', base: '1661.11', tax: '16.61' },
      { rate: '0.20', base: '37.50', tax: '7.50' }
    ],
    meters: [meter('68204417', '211.000', '240.250', '29.250'), meter('68204418', '1003.500', '1019.750', '16.250')],
    collections: [{ id: '88240', label: 'MKB2026000088240', date: '2026-11-10', amount: '1000.00' }]
  },
  months: months.map((month) => ({ ...month, amount: month.amount === null ? null : tenth(month.amount), lastYear: null })),
  previousDebt: { amount: '1640.25', lateFee: '36.41', asOf: '2026-11-05' },
  eDocument: { ettn: 'f47ac10b-58cc-4372-a567-0e02b2c3d479', scenario: 'TICARIFATURA', type: 'SATIS' },
  reference: 'PO-2026/118',
  paymentLink: 'https://odeme.endeks.example/f/END2026000112213',
  mark: 'copy'
}

export const receiptFacts: ReceiptFacts = {
  utility,
  currency: 'TRY',
  collection: {
    id: '88240',
    label: 'MKB2026000088240',
    participant: { registryNo: '100517', name: 'Çağlar Metal Ltd. Şti.' },
    method: 'cash',
    amount: '15602.45',
    date: '2026-11-24',
    takenAt: '2026-11-24T07:41:00Z',
    takenBy: 'A. Yıldız',
    invoices: [
      { id: '1', label: 'END2026000087107', amount: '5224.24', open: '0.00' },
      { id: '2', label: 'END2026000099652', amount: '5352.00', open: '0.00' },
      { id: '3', label: 'END2026000112198', amount: '5026.21', open: '0.00' }
    ],
    debt: '0.00'
  },
  periods: new Map([
    ['END2026000087107', '2026-08'],
    ['END2026000099652', '2026-09'],
    ['END2026000112198', '2026-10']
  ]),
  tendered: '15650.00',
  desk: '2'
}

function line(facts: {
  readonly line: number
  readonly tr: string
  readonly en: string
  readonly quantity: string | null
  readonly rate: string | null
  readonly net: string
  readonly kdvRate: string
  readonly kdv: string
}): Invoice['lines'][number] {
  const { tr, en, quantity, ...rest } = facts
  return {
    ...rest,
    component: `component-${facts.line}`,
    name: { tr, en },
    quantity: quantity === null ? null : { value: quantity, unit: 'm3' },
    slices: []
  }
}

export function meter(serial: string, opening: string, closing: string, amount: string): Invoice['meters'][number] {
  return {
    serial,
    obis: '8-0:1.0.0*255',
    opening: { at: '2026-09-30T21:00:00Z', index: { value: opening, unit: 'm3' } },
    closing: { at: '2026-10-31T21:00:00Z', index: { value: closing, unit: 'm3' } },
    amount: { value: amount, unit: 'm3' }
  }
}

/** A household's figures from the works': the point one place to the left. */
function tenth(text: string): string {
  const digits = text.replace('.', '').padStart(6, '0')
  return `${digits.slice(0, -5)}.${digits.slice(-5)}`
}
