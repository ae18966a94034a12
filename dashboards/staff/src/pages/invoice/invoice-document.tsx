import type { InvoiceDetail } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { Section } from '../../components/page.js'
import { Pairs } from '../../components/pairs.js'
import { PlainTable } from '../../components/plain-table.js'
import { kdvPercent } from '../../format/kdv.js'
import { unitName, withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'

interface DocumentProps {
  readonly invoice: InvoiceDetail
  readonly line: number | null
  readonly onExplain: (line: number) => void
}

/** The left half: what the paper says. */
export function InvoiceDocument({ invoice, line, onExplain }: DocumentProps) {
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 16, minWidth: 0 }}>
      <Lines invoice={invoice} line={line} onExplain={onExplain} />
      <Totals invoice={invoice} />
      <Meters invoice={invoice} />
      <Receiver invoice={invoice} />
      <Collections invoice={invoice} />
    </div>
  )
}

type Line = InvoiceDetail['lines'][number]

function Lines({ invoice, line, onExplain }: DocumentProps) {
  const { t, f, language } = useLanguage()
  const columns: Column<Line>[] = [
    {
      key: 'name',
      head: t.invoice.line,
      cell: (row) => row.name[language]
    },
    {
      key: 'quantity',
      head: t.invoice.quantity,
      align: 'right',
      from: 'mid',
      cell: (row) => (row.quantity === null ? '' : withUnit(f.quantity(row.quantity.value), row.quantity.unit))
    },
    {
      key: 'rate',
      head: t.invoice.rate,
      align: 'right',
      from: 'mid',
      cell: (row) => {
        if (row.rate !== null) return f.rate(row.rate)
        return row.slices.length > 1 ? <span className="dim">{t.invoice.tiers(f.count(row.slices.length))}</span> : ''
      }
    },
    { key: 'net', head: t.invoice.net, align: 'right', cell: (row) => f.amount(row.net) },
    { key: 'kdvRate', head: t.invoice.kdv, align: 'right', from: 'mid', cell: (row) => f.percent(kdvPercent(row.kdvRate)) },
    { key: 'kdv', head: t.invoice.kdvAmount, align: 'right', from: 'mid', cell: (row) => f.amount(row.kdv) },
    {
      key: 'explain',
      head: '',
      cell: (row) => (
        <Button
          size="compact-xs"
          variant={row.line === line ? 'filled' : 'default'}
          onClick={() => onExplain(row.line)}
          aria-label={`${t.invoice.explain}: ${row.name[language]}`}
          data-testid={`explain-${row.line}`}
        >
          {t.invoice.explain}
        </Button>
      )
    }
  ]
  return (
    <PlainTable
      label={t.invoice.line}
      columns={columns}
      rows={invoice.lines}
      rowKey={(row) => String(row.line)}
      isActive={(row) => row.line === line}
      testId="invoice-line"
    />
  )
}

function Totals({ invoice }: { readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  return (
    <div className="totals" data-testid="invoice-totals">
      <span>{t.invoice.sum}</span>
      <span className="num">{f.amount(invoice.net)}</span>
      {invoice.kdv.map((row) => (
        <KdvRow key={row.rate} row={row} />
      ))}
      <span className="pay">{t.invoice.payable}</span>
      <span className="num pay" data-testid="gross">
        {f.money(invoice.gross)}
      </span>
      <span>{t.invoice.remaining}</span>
      <span className="num" data-testid="open">
        {f.amount(invoice.open)}
      </span>
    </div>
  )
}

function KdvRow({ row }: { readonly row: InvoiceDetail['kdv'][number] }) {
  const { t, f } = useLanguage()
  return (
    <>
      <span className="dim">{`${t.invoice.kdv} ${f.percent(kdvPercent(row.rate))}, ${t.invoice.base} ${f.amount(row.base)}`}</span>
      <span className="num">{f.amount(row.tax)}</span>
    </>
  )
}

type Meter = InvoiceDetail['meters'][number]

function Meters({ invoice }: { readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  const columns: Column<Meter>[] = [
    { key: 'serial', head: t.meters.serial, cell: (row) => <span className="mono">{row.serial}</span> },
    {
      key: 'opening',
      head: t.invoice.opening,
      align: 'right',
      cell: (row) => <IndexAt at={row.opening.at} value={row.opening.index.value} />
    },
    {
      key: 'closing',
      head: t.invoice.closing,
      align: 'right',
      cell: (row) => <IndexAt at={row.closing.at} value={row.closing.index.value} />
    },
    {
      key: 'amount',
      head: `${t.invoice.consumption} ${unitName(invoice.consumption.unit)}`,
      align: 'right',
      cell: (row) => f.quantity(row.amount.value)
    }
  ]
  return (
    <Section title={t.invoice.meters}>
      <PlainTable
        label={t.invoice.meters}
        columns={columns}
        rows={invoice.meters}
        rowKey={(row) => `${row.serial} ${row.obis} ${row.opening.at}`}
      />
    </Section>
  )
}

function IndexAt({ at, value }: { readonly at: string; readonly value: string }) {
  const { f } = useLanguage()
  return (
    <>
      {f.quantity(value)} <span className="dim mid-only">{f.date(at)}</span>
    </>
  )
}

function Receiver({ invoice }: { readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  const { receiver, run } = invoice
  return (
    <Section title={t.invoice.receiver}>
      <Pairs
        of={[
          [t.participants.name, receiver.name],
          [t.participants.registryNo, receiver.registryNo],
          receiver.taxNumber === null
            ? null
            : [
                receiver.taxNumber.length === 11 ? 'TCKN' : 'VKN',
                <span key="no" className="mono">
                  {receiver.taxNumber}
                </span>
              ],
          receiver.taxOffice === null ? null : [t.participant.taxOffice, receiver.taxOffice],
          receiver.address === null ? null : [t.participant.address, receiver.address],
          receiver.properties.length === 0 ? null : [t.participants.properties, receiver.properties.join(', ')],
          [t.invoice.issued, t.invoice.issuedOn(f.minute(invoice.issuedAt), invoice.issuedBy)],
          run === null
            ? null
            : [
                t.invoice.run,
                <Link key="run" className="link" to={`/billing/runs/${run.id}`}>
                  {f.month(invoice.period)}
                </Link>
              ]
        ]}
      />
    </Section>
  )
}

function Collections({ invoice }: { readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  if (invoice.collections.length === 0) return <span className="dim">{t.invoice.noCollection}</span>
  const columns: Column<InvoiceDetail['collections'][number]>[] = [
    { key: 'label', head: t.collections.receipt, cell: (row) => <span className="mono">{row.label}</span> },
    { key: 'date', head: t.common.date, cell: (row) => f.day(row.date) },
    { key: 'amount', head: t.collections.amount, cell: (row) => f.amount(row.amount), align: 'right' }
  ]
  return (
    <Section title={t.invoice.collections}>
      <PlainTable
        label={t.invoice.collections}
        columns={columns}
        rows={invoice.collections}
        rowKey={(row) => row.id}
        testId="settlement-row"
      />
    </Section>
  )
}
