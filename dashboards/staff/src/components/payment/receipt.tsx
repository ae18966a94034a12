import type { Collection } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { Link } from 'react-router'
import { receiptPdf } from '../../api/queries.js'
import { useLanguage } from '../../i18n/language.js'
import { Amount } from '../amount.js'
import type { Column } from '../column.js'
import { CopyButton } from '../copy-button.js'
import { PlainTable } from '../plain-table.js'
import { StateMark } from '../state-mark.js'

/** The end of a collection: the receipt's number, what it settled, what is left. */
export function Receipt({ collection, onNext }: { readonly collection: Collection; readonly onNext: () => void }) {
  const { t, f, language } = useLanguage()
  const next = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    next.current?.focus()
  }, [])
  const columns: Column<Collection['invoices'][number]>[] = [
    {
      key: 'label',
      head: t.invoices.number,
      cell: (row) => (
        <Link className="link mono" to={`/invoices/${row.label}`}>
          {row.label}
        </Link>
      )
    },
    { key: 'amount', head: t.collections.amount, cell: (row) => f.amount(row.amount), align: 'right' },
    { key: 'open', head: t.invoices.open, cell: (row) => <Amount of={row.open} />, align: 'right' }
  ]
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 12 }} data-testid="receipt" role="status">
      <StateMark tone="ok">
        <span style={{ fontSize: 16, fontWeight: 600 }}>
          {t.pay.done('')}
          <span className="mono" style={{ fontSize: 16 }} data-testid="receipt-number">
            {collection.label}
          </span>
        </span>
        <CopyButton text={collection.label} />
      </StateMark>
      <div className="big">{f.money(collection.amount)}</div>
      <div className="dim">
        {f.second(collection.takenAt)} · {collection.takenBy} · {collection.participant.name} {collection.participant.registryNo}
      </div>
      <PlainTable label={t.pay.settled} columns={columns} rows={collection.invoices} rowKey={(row) => row.id} />
      <div>
        {t.pay.remaining} <b data-testid="debt-left">{f.money(collection.debt)}</b>
      </div>
      <div style={{ display: 'flex', gap: 8 }}>
        <Button ref={next} variant="default" onClick={onNext}>
          {t.pay.next}
        </Button>
        <Button
          component="a"
          variant="default"
          href={receiptPdf(collection.label, language)}
          target="_blank"
          rel="noopener"
          data-testid="receipt-pdf"
        >
          {t.pay.print}
        </Button>
      </div>
    </div>
  )
}
