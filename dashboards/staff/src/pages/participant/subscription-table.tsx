import type { ParticipantDetail } from '@endeks/billing-api/contract'
import { Link } from 'react-router'
import type { Column } from '../../components/column.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'

type Subscription = ParticipantDetail['subscriptions'][number]
interface Row {
  readonly key: string
  readonly subscription: Subscription
  /** null where no meter stands */
  readonly meter: Subscription['meters'][number] | null
}

/** One line a meter: a subscription with two meters has two. */
export function SubscriptionTable({ participant, all = false }: { readonly participant: ParticipantDetail; readonly all?: boolean }) {
  const { t, f, language } = useLanguage()
  const rows = participant.subscriptions.flatMap((subscription): Row[] =>
    subscription.meters.length === 0
      ? [{ key: subscription.number, subscription, meter: null }]
      : subscription.meters.map((meter) => ({ key: `${subscription.number} ${meter.id}`, subscription, meter }))
  )
  if (rows.length === 0) return <Empty>{t.participant.noSubscription}</Empty>
  const columns: Column<Row>[] = [
    {
      key: 'subscription',
      head: t.participant.subscription,
      cell: ({ subscription }) => `${t.commodities[subscription.commodity]} ${subscription.property}`
    },
    ...(all
      ? [
          {
            key: 'number',
            head: '№',
            cell: ({ subscription }: Row) => <span className="mono">{subscription.number}</span>,
            from: 'mid' as const
          },
          {
            key: 'point',
            head: t.participant.servicePoint,
            cell: ({ subscription }: Row) => subscription.servicePoint,
            from: 'wide' as const
          },
          {
            key: 'opened',
            head: t.participant.openedAt,
            cell: ({ subscription }: Row) => f.date(subscription.openedAt),
            from: 'wide' as const
          }
        ]
      : []),
    {
      key: 'meter',
      head: t.participant.meter,
      cell: ({ meter }) =>
        meter === null ? (
          <span className="dim">{t.common.none}</span>
        ) : (
          <Link className="link mono" to={`/meters/${meter.id}`} data-testid="meter-link">
            {meter.serial}
          </Link>
        )
    },
    {
      key: 'tariff',
      head: t.participant.tariff,
      from: 'mid',
      clip: true,
      cell: ({ subscription: { tariff } }) =>
        tariff === null ? (
          <StateMark tone="warn">{t.participant.noTariff}</StateMark>
        ) : (
          <Link className="link" to={`/billing/tariffs/${tariff.code}`}>
            {tariff.name[language]}
          </Link>
        )
    },
    {
      key: 'index',
      head: t.participant.lastIndex,
      align: 'right',
      cell: ({ meter }) => {
        const reading = meter?.lastReading ?? null
        return reading === null ? '' : withUnit(f.quantity(reading.index.value), reading.index.unit)
      }
    },
    {
      key: 'reading',
      head: t.participant.lastReading,
      from: 'mid',
      cell: ({ meter }) => {
        const reading = meter?.lastReading ?? null
        return reading === null ? <span className="dim">{t.common.none}</span> : f.minute(reading.at)
      }
    },
    {
      key: 'month',
      head: t.participant.thisMonth,
      align: 'right',
      from: 'mid',
      cell: ({ subscription: { thisMonth } }) =>
        thisMonth === null ? <span className="dim">{t.common.notMeasured}</span> : withUnit(f.whole(thisMonth.value), thisMonth.unit)
    }
  ]
  return <PlainTable label={t.participant.subscription} columns={columns} rows={rows} rowKey={(row) => row.key} />
}
