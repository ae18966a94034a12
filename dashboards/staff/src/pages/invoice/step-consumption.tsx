import type { Explanation } from '@endeks/billing-api/contract'
import type { Column } from '../../components/column.js'
import { Pairs } from '../../components/pairs.js'
import { PlainTable } from '../../components/plain-table.js'
import { QualityMark } from '../../components/state-mark.js'
import { withUnit } from '../../format/number.js'
import { sumQuantities } from '../../format/sum.js'
import { known } from '../../i18n/known.js'
import { useLanguage } from '../../i18n/language.js'
import { Step } from './step.js'

type Register = Explanation['supplies'][number]['registers'][number]
type Segment = Register['segments'][number]

/** Which intervals the consumption is made of, and how far each can be trusted. */
export function ConsumptionStep({ explanation }: { readonly explanation: Explanation }) {
  const { t, f } = useLanguage()
  const { accrual, supplies } = explanation
  const parts = partsOf(explanation, t.states, f.quantity)
  const registers = supplies.flatMap((supply) => supply.registers)
  return (
    <Step no={2} title={t.explain.consumption} note={t.common.days(f.count(accrual.days))}>
      <div className="equation">
        {parts.length > 1 && `${parts.join(' + ')} = `}
        <b>{withUnit(f.quantity(accrual.consumption.value), accrual.consumption.unit)}</b>
      </div>
      <Pairs
        of={[
          [t.explain.accrual, t.explain.accrualLine(accrual.id, f.day(accrual.date))],
          ...supplies.map(
            (supply) =>
              [
                `${t.explain.supply} ${supply.servicePoint}`,
                t.explain.share(
                  supply.sign < 0 ? '−1' : '+1',
                  `${supply.share} = ${withUnit(f.quantity(supply.amount.value), supply.amount.unit)}`
                )
              ] as const
          )
        ]}
      />
      {registers.map((register) => (
        <Segments key={`${register.meter.id} ${register.obis} ${register.opening.at}`} register={register} />
      ))}
    </Step>
  )
}

/** What was measured and what was not, where one whole supply is billed; else each supply's part. */
function partsOf(explanation: Explanation, names: Readonly<Record<string, string>>, quantity: (text: string) => string): string[] {
  const { supplies } = explanation
  const [only] = supplies
  if (supplies.length !== 1 || only === undefined || only.sign < 0 || only.share !== '1/1') {
    return supplies.map((supply) => `${supply.sign < 0 ? '−' : ''}${quantity(supply.amount.value)}`)
  }
  const byQuality = new Map<string, string[]>()
  for (const segment of only.registers.flatMap((register) => register.segments)) {
    byQuality.set(segment.quality, [...(byQuality.get(segment.quality) ?? []), segment.amount.value])
  }
  return [...byQuality].map(([quality, amounts]) => `${quantity(sumQuantities(amounts))} ${known(names, quality)}`)
}

function Segments({ register }: { readonly register: Register }) {
  const { t, f } = useLanguage()
  const estimated = register.segments.some((segment) => segment.quality !== 'measured')
  const columns: Column<Segment>[] = [
    { key: 'span', head: t.explain.from, cell: (segment) => f.minute(segment.from) },
    { key: 'to', head: t.explain.to, cell: (segment) => f.minute(segment.to), from: 'mid' },
    {
      key: 'amount',
      head: t.invoice.consumption,
      align: 'right',
      cell: (segment) => withUnit(f.quantity(segment.amount.value), segment.amount.unit)
    },
    { key: 'quality', head: t.explain.quality, cell: (segment) => <QualityMark quality={segment.quality} /> },
    { key: 'rule', head: t.explain.rule, cell: (segment) => known(t.explain.rules, segment.rule), from: 'mid' }
  ]
  return (
    <details open={register.segments.length <= 6 || estimated}>
      <summary>
        {register.meter.serial} {t.explain.segmentCount(f.count(register.segments.length))}
      </summary>
      <PlainTable
        label={t.explain.segments}
        columns={columns}
        rows={register.segments}
        rowKey={(segment) => segment.from}
        testId="segment-row"
      />
    </details>
  )
}
