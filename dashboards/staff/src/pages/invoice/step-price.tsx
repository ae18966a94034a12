import type { Explanation } from '@endeks/billing-api/contract'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { CopyButton } from '../../components/copy-button.js'
import { Pairs } from '../../components/pairs.js'
import { PlainTable } from '../../components/plain-table.js'
import { unitName, withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'
import { Step } from './step.js'

type Slice = Explanation['line']['slices'][number]

/** Quantity times rate, tier by tier; what is rounded is rounded once, in the line's amount. */
export function PriceStep({ explanation }: { readonly explanation: Explanation }) {
  const { t, f } = useLanguage()
  const { line, tariff } = explanation
  const unit = line.quantity?.unit ?? explanation.accrual.consumption.unit
  const [only] = line.slices
  return (
    <Step no={1} title={t.explain.price} note={`${t.explain.priceLine(`${tariff.code} ${tariff.version}`)}`}>
      {line.slices.length === 1 && only !== undefined ? (
        <div className="equation">
          {withUnit(f.quantity(only.quantity), unit)} × {f.rate(only.rate)} = <b>{f.amount(line.net)}</b>
        </div>
      ) : line.slices.length === 0 ? (
        <div className="equation">
          {line.quantity !== null && line.rate !== null
            ? `${withUnit(f.quantity(line.quantity.value), unit)} × ${f.rate(line.rate)} = `
            : ''}
          <b>{f.amount(line.net)}</b>
        </div>
      ) : (
        <Slices slices={line.slices} unit={unit} net={line.net} />
      )}
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
