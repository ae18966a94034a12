import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Collection, InvoiceDetail, RunDetail, RunRow } from '@endeks/billing-api/contract'
import { chromium, type Page } from 'playwright-core'
import t from 'tap'
import { lastMonth, smallSite } from './small-site.js'
import { password, startWay, until, type Way } from './way.js'

// Goal: a person signs in, opens an invoice, follows a line down to the bytes, and takes a payment, in both languages.
// Method: Debian's chromium on the built console, served by the real API in front of everything that stands behind it.

const browserPath = '/usr/bin/chromium'
const root = fileURLToPath(new URL('../../../', import.meta.url))
const webRoot = join(root, 'dashboards/dist/web')
const closing = 49_451_000

async function issueOne({ api, admin }: Way): Promise<InvoiceDetail> {
  const month = lastMonth()
  await until('the segment of the month', async () => {
    const { rowCount } = await admin.query('SELECT FROM metering.segment WHERE to_at = $1 AND superseded_at IS NULL', [month.to])
    return rowCount === 1 ? true : undefined
  })
  const { id } = await api.post<RunRow>('/bill-runs', { period: month.label })
  const look = async (state: string) =>
    await until(`the ${state} run`, async () => ((await api.get<RunDetail>(`/bill-runs/${id}`)).state === state ? true : undefined))
  await look('checked')
  await api.post(`/bill-runs/${id}/issue`, { bills: 1 })
  await look('issued')
  const { items } = await api.get<{ items: { label: string }[] }>('/invoices')
  return await api.get<InvoiceDetail>(`/invoices/${items[0]?.label}`)
}

async function signIn(page: Page, origin: string): Promise<void> {
  await page.goto(origin)
  await page.getByTestId('login-name').fill('admin')
  await page.getByTestId('login-password').fill(password)
  await page.getByTestId('login-submit').click()
  await page.getByTestId('cards').waitFor()
}

t.test('a person reads, understands and settles a bill in the browser', async (t) => {
  t.ok(existsSync(browserPath), "Debian's package chromium is installed")
  const built = spawnSync('npm', ['run', '--silent', '--workspace', 'dashboards', 'build'], { cwd: root, encoding: 'utf8' })
  t.equal(built.status, 0, built.stderr)
  const way = await startWay(t, smallSite('mbus', { opening: 48_211_000, closing }), { webRoot })
  const invoice = await issueOne(way)
  const origin = way.url.replace(/api$/, '')

  const profile = mkdtempSync(join(tmpdir(), 'endeks-browser-'))
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: browserPath,
    headless: true,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync'
    ]
  })
  t.teardown(async () => {
    await browser.close()
    rmSync(profile, { recursive: true, force: true })
  })

  for (const { language, words, amount } of [
    { language: 'tr', words: ['Tahsilat', 'Ödenecek'], amount: '100' },
    { language: 'en', words: ['Collection', 'Payable'], amount: '250' }
  ] as const) {
    await t.test(language, async (t) => {
      const context = await browser.browser()?.newContext()
      const page = await (context ?? browser).newPage()
      const failures: string[] = []
      page.on('pageerror', (error) => failures.push(error.message))
      await page.addInitScript(`localStorage.setItem('endeks.language', '${language}')`)
      await signIn(page, origin)
      t.equal(await page.locator('html').getAttribute('lang'), language)

      await page.goto(`${origin}billing/invoices`)
      await page.locator(`[data-testid="invoice-row"][data-key="${invoice.label}"]`).click()
      await page.getByTestId('gross').waitFor()
      await page.getByTestId('explain-1').click()
      const chain = page.getByTestId('chain')
      await chain.waitFor()
      t.equal(await chain.getAttribute('data-ok'), 'true', 'every link from the amount to the bytes holds')
      const hex = await page.getByTestId('evidence-hex').first().getAttribute('data-hex')
      t.match(hex, /^[0-9a-f]+$/, 'the bytes of the meter are on the page')
      t.equal(await page.getByTestId('decoded-equal').first().getAttribute('data-ok'), 'true')

      await page.goto(`${origin}participants/${invoice.participant.registryNo}`)
      await page.getByTestId('debt').waitFor()
      await page.keyboard.press('F8')
      await page.getByTestId('pay-received').fill(amount)
      await page.getByTestId('pay-submit').click()
      const receipt = (await page.getByTestId('receipt-number').textContent())?.match(/[A-Z]{3}\d{13}/)?.[0] ?? ''
      const collected = await way.api.get<Collection>(`/collections/${receipt}`)
      t.equal(collected.amount, `${amount}.00`)
      const print = (await page.getByTestId('receipt-pdf').getAttribute('href')) ?? ''
      const paper = await page.request.get(new URL(print, origin).href)
      t.equal(paper.headers()['content-type'], 'application/pdf', 'the receipt can be printed at the desk')
      t.strictSame(failures, [], 'nothing failed in the page')
      const text = (await page.locator('body').textContent()) ?? ''
      t.ok(
        words.some((word) => text.includes(word)),
        `the page speaks ${language}`
      )
      await page.close()
    })
  }
  const balance = await way.admin.query<{ sum: bigint; receipts: number }>(
    `SELECT (SELECT sum(amount_micro)::bigint FROM ledger.posting) AS sum, (SELECT count(*)::integer FROM ledger.document WHERE kind = 'receipt') AS receipts`
  )
  t.strictSame(balance.rows[0], { sum: 0n, receipts: 2 })
})
