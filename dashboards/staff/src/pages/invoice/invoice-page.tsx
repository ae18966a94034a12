import type { InvoiceDetail } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useHotkeys } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { invoicePdf, queries } from '../../api/queries.js'
import { Page } from '../../components/page.js'
import { PaymentDrawer } from '../../components/payment/payment-drawer.js'
import { Region } from '../../components/region.js'
import { InvoiceStatusMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { ExplanationPanel } from './explanation-panel.js'
import { InvoiceDocument } from './invoice-document.js'

export function InvoicePage() {
  const { t, language } = useLanguage()
  const { label = '' } = useParams()
  const invoice = useQuery(queries.invoice(label))
  const [parameters, setParameters] = useSearchParams()
  const [paying, setPaying] = useState(false)
  const data = invoice.data
  const line = chosenLine(parameters.get('line'), data)
  const owed = data !== undefined && data.status !== 'settled'
  useHotkeys([['F8', () => owed && setPaying(true)]], [])
  return (
    <Page
      title={label}
      heading={
        <span className="mono" style={{ fontSize: 20 }}>
          {label}
        </span>
      }
      mark={data === undefined ? undefined : <InvoiceStatusMark status={data.status} />}
      facts={data === undefined ? undefined : <Facts invoice={data} />}
      actions={
        data === undefined ? undefined : (
          <>
            <Button component="a" variant="default" href={invoicePdf(label, language)} target="_blank" rel="noopener" data-testid="pdf">
              {t.invoice.pdf}
            </Button>
            {owed && (
              <Button onClick={() => setPaying(true)} rightSection={<kbd>F8</kbd>} data-testid="pay-open">
                {t.participant.collect}
              </Button>
            )}
          </>
        )
      }
    >
      <Region query={invoice} height={500}>
        {(given) => (
          <div className="split even">
            <InvoiceDocument
              invoice={given}
              line={line}
              onExplain={(chosen) =>
                setParameters((old) => {
                  const next = new URLSearchParams(old)
                  next.set('line', String(chosen))
                  return next
                })
              }
            />
            <ExplanationPanel invoice={given} line={line} />
          </div>
        )}
      </Region>
      {paying && data !== undefined && (
        <PaymentDrawer
          registryNo={data.participant.registryNo}
          name={data.participant.name}
          only={data.id}
          onClose={() => setPaying(false)}
        />
      )}
    </Page>
  )
}

function chosenLine(text: string | null, invoice: InvoiceDetail | undefined): number | null {
  const line = text !== null && /^\d{1,4}$/.test(text) ? Number(text) : null
  return invoice?.lines.some((each) => each.line === line) === true ? line : null
}

function Facts({ invoice }: { readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  return (
    <>
      <Link className="link" to={`/participants/${invoice.participant.registryNo}`}>
        {invoice.participant.name} {invoice.participant.registryNo}
      </Link>
      <span>{`${f.span(invoice.from, invoice.to)}, ${t.common.days(f.count(invoice.days))}`}</span>
      <span>{t.invoice.dueOn(f.day(invoice.dueDate))}</span>
    </>
  )
}
