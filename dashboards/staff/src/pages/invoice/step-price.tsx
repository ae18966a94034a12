import type { Explanation, InvoiceDetail } from '@endeks/billing-api/contract'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { CopyButton } from '../../components/copy-button.js'
import { Pairs } from '../../components/pairs.js'
import { PlainTable } from '../../components/plain-table.js'
import { unitName, withUnit } from '../../format/number.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'
import { termsOf } from '../tariff/components.js'
import { Step } from './step.js'

type Slice = Explanation['line']['slices'][number]

/** Quantity times rate, tier by tier; what is rounded is rounded once, in the line's amount. */
export function PriceStep({ explanation, invoice }: { readonly explanation: Explanation; readonly invoice: InvoiceDetail }) {
  const { t, f } = useLanguage()
  const { line, tariff } = explanation
  const unit = line.quantity?.unit ?? explanation.accrual.consumption.unit
  return (
    <Step no={1} title={t.explain.price} note={`${t.explain.priceLine(`${tariff.code} ${tariff.version}`)}`}>
      <Priced explanation={explanation} invoice={invoice} unit={unit} />
      <Pairs
        of={[
          [
            t.explain.tariff,
            <span key="tariff">
              <Link className="link" to={`/billing/tariffs/${tariff.code}`}>
                {tariff.code} {tariff.version}
              </Link>
              , {t.explain.validFrom(f.day(tariff.validFrom))}
            </span>
          ],
          [t.explain.tariffHash, <HashText key="hash" hash={tariff.hash} />]
        ]}
      />
      <details>
        <summary>{t.explain.component}</summary>
        <pre className="document">{JSON.stringify(tariff.component, null, 2)}</pre>
      </details>
    </Step>
  )
}

interface PricedProps {
  readonly explanation: Explanation
  readonly invoice: InvoiceDetail
  readonly unit: string
}

/** How the amount came about: one price, several tiers, a share of other charges, or a fixed amount for a time. */
function Priced({ explanation, invoice, unit }: PricedProps) {
  const { t, f, language } = useLanguage()
  const { line, tariff } = explanation
  const [only, second] = line.slices
  if (second !== undefined) return <Slices slices={line.slices} unit={unit} net={line.net} />
  const terms = termsOf(tariff.component)
  const bases = invoice.lines.filter((each) => terms.of.includes(each.component))
  let left = ''
  if (only !== undefined) left = `${withUnit(f.quantity(only.quantity), unit)} × ${f.rate(only.rate)}`
  else if (terms.ratio !== '' && bases.length > 0) {
    const sum = bases.map((each) => `${each.name[language]} ${f.amount(each.net)}`).join(' + ')
    left = `${bases.length > 1 ? `(${sum})` : sum} × ${terms.ratio.includes('/') ? terms.ratio : f.exact(terms.ratio, 0)}`
  } else if (terms.amount !== '') left = t.explain.fixedPer(f.amount(terms.amount), known(t.explain.periods, terms.per))
  return (
    <div className="equation">
      {left !== '' && `${left}${terms.amount === '' ? ' = ' : ' · '}`}
      <b>{f.amount(line.net)}</b>
    </div>
  )
}

export function HashText({ hash, testId }: { readonly hash: string; readonly testId?: string }) {
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}>
      <span className="mono" style={{ overflowWrap: 'anywhere' }} data-testid={testId}>
        {hash}
      </span>
      <CopyButton text={hash} />
    </span>
  )
}

function Slices({ slices, unit, net }: { readonly slices: readonly Slice[]; readonly unit: string; readonly net: string }) {
  const { t, f } = useLanguage()
  const columns: Column<Slice>[] = [
    {
      key: 'tier',
      head: `${t.explain.tier} ${unitName(unit)}`,
      cell: (slice) => `${f.exact(slice.from, 0)} - ${slice.to === null ? t.explain.open : f.exact(slice.to, 0)}`,
      total: t.common.total
    },
    {
      key: 'quantity',
      head: `${t.explain.quantity} ${unitName(unit)}`,
      align: 'right',
      cell: (slice) => f.quantity(slice.quantity),
      total: ''
    },
    { key: 'rate', head: t.explain.rate, align: 'right', cell: (slice) => f.rate(slice.rate), total: '' },
    { key: 'amount', head: t.explain.amount, align: 'right', cell: (slice) => f.exact(slice.amount, 2), total: f.amount(net) }
  ]
  return <PlainTable label={t.explain.price} columns={columns} rows={slices} rowKey={(slice) => slice.from} testId="slice-row" />
}
