import t from 'tap'
import { issueInvoice, october } from '../fixtures/invoices.js'
import { testServer } from '../fixtures/server.js'

t.test('an invoice and its receipt are answered as PDF', async (t) => {
  const server = await testServer(t)
  const id = await issueInvoice(server.owner, october(1, 1))
  const cookie = await server.signIn('clerk')
  const fetchPdf = async (url: string) => await server.app.inject({ method: 'GET', url, headers: { cookie } })

  for (const language of ['tr', 'en']) {
    const answer = await fetchPdf(`/api/invoices/${id}/pdf?language=${language}`)
    t.equal(answer.statusCode, 200, answer.body.slice(0, 200))
    t.match(answer.headers, { 'content-type': 'application/pdf', 'content-disposition': /^inline; filename="\w+\.pdf"$/ })
    t.equal(answer.rawPayload.subarray(0, 5).toString('latin1'), '%PDF-')
  }
  const paid = await server.call('/api/collections', {
    method: 'POST',
    body: { participant: '100481', method: 'cash', invoices: [{ id, amount: '1.00' }] },
    headers: { 'idempotency-key': 'receipt-on-paper' }
  })
  for (const format of ['a4', '80mm']) {
    const answer = await fetchPdf(`/api/collections/${String(paid.body['label'])}/pdf?format=${format}`)
    t.equal(answer.rawPayload.subarray(0, 5).toString('latin1'), '%PDF-', format)
  }
  t.equal((await fetchPdf('/api/invoices/END2026999999999/pdf')).statusCode, 404)
  t.equal((await fetchPdf(`/api/invoices/${id}/pdf?language=de`)).statusCode, 400)
  t.equal((await server.app.inject({ method: 'GET', url: `/api/invoices/${id}/pdf` })).statusCode, 401)
})
