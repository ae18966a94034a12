import type { Explanation } from '@endeks/billing-api/contract'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { PlainTable } from '../../components/plain-table.js'
import { withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'
import { anchorOf } from './anchor.js'
import { Step } from './step.js'

type Register = Explanation['supplies'][number]['registers'][number]
interface Point {
  readonly name: string
  readonly point: Register['opening']
}

/** Closing index minus opening index, and where each was read. */
export function IndexStep({ explanation }: { readonly explanation: Explanation }) {
  const { t } = useLanguage()
  const registers = explanation.supplies.flatMap((supply) => supply.registers)
  return (
    <Step no={3} title={t.explain.index}>
      {registers.map((register) => (
        <RegisterIndexes key={`${register.meter.id} ${register.obis} ${register.opening.at}`} register={register} />
      ))}
    </Step>
  )
}

function RegisterIndexes({ register }: { readonly register: Register }) {
  const { t, f } = useLanguage()
  const { opening, closing, amount, meter } = register
  const rows: Point[] = [
    { name: t.explain.openingIndex, point: opening },
    { name: t.explain.closingIndex, point: closing }
  ]
  const columns: Column<Point>[] = [
    { key: 'name', head: '', cell: (row) => row.name },
    { key: 'at', head: t.meter.time, cell: (row) => f.minute(row.point.at) },
    { key: 'index', head: t.meter.index, align: 'right', cell: (row) => withUnit(f.quantity(row.point.index.value), row.point.index.unit) },
    {
      key: 'raw',
      head: t.meter.raw,
      align: 'right',
      from: 'mid',
      cell: (row) => <span className="mono">{`${row.point.raw} × 10^${row.point.scaler}`}</span>
    },
    {
      key: 'evidence',
      head: t.meter.evidence,
      from: 'mid',
      cell: ({ point }) =>
        point.evidence === null ? (
          <span className="dim">{t.explain.manual}</span>
        ) : (
          <a className="link mono" href={`#${anchorOf(point.exchange ?? '')}`}>
            {point.evidence.slice(0, 8)}
          </a>
        )
    }
  ]
  return (
    <>
      <div className="equation" data-testid="index-equation">
        {f.quantity(closing.index.value)} − {f.quantity(opening.index.value)} = <b>{withUnit(f.quantity(amount.value), amount.unit)}</b>
      </div>
      <div className="dim" style={{ fontSize: 13 }}>
        <Link className="link mono" to={`/meters/${meter.id}`}>
          {meter.serial}
        </Link>{' '}
        {meter.manufacturer} · <span className="mono">{register.obis}</span>
      </div>
      <PlainTable label={t.explain.index} columns={columns} rows={rows} rowKey={(row) => row.name} />
    </>
  )
}
