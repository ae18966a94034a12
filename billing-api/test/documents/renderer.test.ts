import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { invoiceDocument } from '../../src/documents/invoice-document.js'
import { receiptDocument } from '../../src/documents/receipt-document.js'
import { createRenderer } from '../../src/documents/renderer.js'
import { fontFromWoff } from '../../src/documents/woff.js'
import { facts, fullFacts, invoice, receiptFacts } from './fixtures.js'
import { codesOnPage, fontsOf, textOf } from './tools.js'

const renderer = createRenderer()
const templates = fileURLToPath(new URL('../../../templates/', import.meta.url))

t.test('the text of an invoice has its Turkish letters and its amounts', async (t) => {
  const names = { ...invoice.receiver, name: 'IŞIK ışık İnci ğüşöç ĞÜŞÖÇ ₺' }
  const text = await textOf(await renderer.renderInvoice(invoiceDocument({ ...facts, invoice: { ...invoice, receiver: names } }), 'tr'))
  for (const part of [
    'IŞIK ışık İnci ğüşöç ĞÜŞÖÇ ₺',
    '80.552,18 TL',
    '16.11.2026',
    '01.10-01.11.2026, 31 gün',
    '49.451,000 − 48.211,000 = 1.240,000',
    '30 gün ölçülen, 1 gün tahmin',
    '40,0 m³',
    '64,9614 TL/m³',
    'OSB payı 1.240,000 5,7488 7.128,51 %20',
    'İndirilecek KDV 78.413,63 2.138,55',
    'TR33 0006 1005 1978 6457 8413 26',
    'Sayfa 1 / 1'
  ]) {
    t.ok(text.includes(part), part)
  }
  t.notMatch(text, /Amount due|Invoice/, 'Turkish alone')
})

t.test('in English every amount still stands once, and the law speaks Turkish', async (t) => {
  const text = await textOf(await renderer.renderInvoice(invoiceDocument(facts), 'en'))
  for (const part of ['Ödenecek', 'Amount due', 'Why', 'Is it usual', 'OSB share', 'Deductible VAT', 'itiraz edebilirsiniz'])
    t.ok(text.includes(part), part)
  t.equal(text.split('80.552,18').length - 1, 2, 'in the frame and at the foot of the lines, as in Turkish')
})

t.test('a scanner reads the codes of the page, KOPYA across it or not', async (t) => {
  const digits = 'CODE-128:2026000112213'
  const [barcode, qr] = await codesOnPage(await renderer.renderInvoice(invoiceDocument(facts), 'tr'))
  t.equal(barcode, digits)
  t.match(qr, /^QR-Code:\{"vkntckn":"3331234566",.*"odenecek":"80552.18"\}$/)
  const full = await codesOnPage(await renderer.renderInvoice(invoiceDocument(fullFacts), 'en'))
  t.equal(full.length, 3)
  t.equal(full[0], digits)
  t.match(full[1], /^QR-Code:https:\/\/odeme\.endeks\.example/)
  t.match(full[2], /"senaryo":"TICARIFATURA","tip":"SATIS"/)
})

t.test('every font is embedded and our own, whatever the machine has', async (t) => {
  const { names, embedded } = await fontsOf(await renderer.renderInvoice(invoiceDocument(fullFacts), 'en'))
  t.ok(embedded)
  t.ok(names.length > 0 && names.every((name) => /\+IBMPlex(Sans|Mono)-/.test(name)), names.join(' '))
})

t.test('a name is data: nothing in it commands the typesetter', async (t) => {
  const name = '#panic() *kalın* _eğik_ $x^2$ [a] -- ~ "q" @b <c> = d /* e */ \\n #read("/etc/passwd")'
  const line = { ...invoice.lines[0], line: 1, name: { tr: name, en: name } }
  const lines = invoice.lines.map((each, index) => (index === 0 ? { ...each, ...line } : each))
  const pdf = await renderer.renderInvoice(
    invoiceDocument({ ...facts, invoice: { ...invoice, lines, receiver: { ...invoice.receiver, name } } }),
    'en'
  )
  const flat = (text: string): string => text.replace(/[\s\u200b]+/g, '')
  t.ok(flat(await textOf(pdf)).includes(flat('#panic() *kalın* _eğik_ $x^2$ [a] --')), 'as it was typed')
  const receipt = await renderer.renderReceipt(
    receiptDocument({ ...receiptFacts, collection: { ...receiptFacts.collection, participant: { registryNo: '1', name } } }),
    'tr',
    '80mm'
  )
  t.ok(flat(await textOf(receipt)).includes(flat('#panic() *kalın* _eğik_')))
})

t.test('forty lines go on overleaf with their heads, and long names break', async (t) => {
  const lines = Array.from({ length: 20 }, () => invoice.lines)
    .flat()
    .map((line, index) => ({ ...line, line: index + 1, name: { tr: `Kalem ${index + 1}`, en: `Charge ${index + 1}` } }))
  const name = `${'Faturalandırılamayan'.repeat(3)} ${'İ'.repeat(60)}`
  const document = invoiceDocument({ ...facts, mark: 'cancelled', invoice: { ...invoice, lines, receiver: { ...invoice.receiver, name } } })
  const pdf = await renderer.renderInvoice(document, 'tr')
  const second = await textOf(pdf, 2)
  for (const part of ['Fatura END2026000112213', 'Sicil no 100482', 'Kalem Miktar m³', 'Kalem 40', 'Sayfa 2 / '])
    t.ok(second.includes(part), part)
  const first = await textOf(pdf, 1)
  t.ok(first.includes('Kalem 1 '))
  t.match(first, /Sayfa 1 \/ [23]/)
})

t.test('receipts: what was paid, the change, what is left', async (t) => {
  for (const format of ['a4', '80mm'] as const) {
    const text = await textOf(await renderer.renderReceipt(receiptDocument(receiptFacts), 'tr', format))
    for (const part of [
      'Tahsilat makbuzu',
      'MKB2026000088240',
      '24.11.2026 10:41',
      'A. Yıldız',
      'Çağlar Metal Ltd. Şti.',
      'Ağu 26',
      '15.602,45',
      '15.650,00',
      '47,55'
    ]) {
      t.ok(text.includes(part), `${format}: ${part}`)
    }
  }
  const cancelled = await renderer.renderReceipt(receiptDocument({ ...receiptFacts, mark: 'cancelled' }), 'en', '80mm')
  t.match(await textOf(cancelled), /İPTAL.*Receipt/)
})

t.test('the same invoice is the same file, to the last byte', async (t) => {
  const document = invoiceDocument(facts)
  const again = await createRenderer().renderInvoice(document, 'tr')
  t.ok((await renderer.renderInvoice(document, 'tr')).equals(again))
})

t.test('a template that does not compile says where, and the next document prints', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'templates-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await cp(templates, folder, { recursive: true })
  const own = createRenderer({ templates: folder })
  const document = invoiceDocument(facts)
  await writeFile(join(folder, 'labels.typ'), '#let labels = (invoice: ("Fatura" "Invoice"))\n')
  await t.rejects(own.renderInvoice(document, 'tr'), {
    code: 'DOCUMENT_RENDERING',
    message: /invoice\.typ does not compile.*labels\.typ:1:\d+: expected comma/
  })
  await cp(join(templates, 'labels.typ'), join(folder, 'labels.typ'))
  await writeFile(join(folder, 'brand.typ'), '#panic("kapalı")\n')
  await t.rejects(own.renderInvoice(document, 'tr'), { code: 'DOCUMENT_RENDERING', message: /kapalı/ })
  await cp(join(templates, 'brand.typ'), join(folder, 'brand.typ'))
  t.ok((await own.renderInvoice(document, 'tr')).length > 10_000, 'an edited template is read again')
})

t.test('a font file that lies is refused with the offset', (t) => {
  const lying = Buffer.alloc(64)
  lying.write('wOFF', 0, 'latin1')
  t.throws(() => fontFromWoff(lying, 'X'), { code: 'DOCUMENT_RENDERING', details: { offset: 12 } })
  lying.writeUInt16BE(9, 12)
  t.throws(() => fontFromWoff(lying, 'X'), { code: 'DOCUMENT_RENDERING', message: /cut off/ })
  t.throws(() => fontFromWoff(Buffer.from('OTTO'), 'X'), { code: 'DOCUMENT_RENDERING', details: { offset: 0 } })
  t.end()
})
