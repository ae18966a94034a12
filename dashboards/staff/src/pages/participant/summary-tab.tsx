import type { Consumption, ParticipantDetail } from '@endeks/billing-api/contract'
import { SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { queries } from '../../api/queries.js'
import { Chart } from '../../components/chart/chart.js'
import type { ChartData } from '../../components/chart/dataset.js'
import { Section } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { unitName, withUnit } from '../../format/number.js'
import { meanQuantity, sumQuantities } from '../../format/sum.js'
import { useLanguage } from '../../i18n/language.js'
import { ParticipantFrame } from './frame.js'
import { SubscriptionTable } from './subscription-table.js'

export function SummaryTab() {
  return <ParticipantFrame>{(participant) => <Summary participant={participant} />}</ParticipantFrame>
}

function Summary({ participant }: { readonly participant: ParticipantDetail }) {
  const consumption = useQuery(queries.consumption(participant.registryNo))
  return (
    <div className="split">
      <div style={{ display: 'flex', flexDirection: 'column', gap: 16, minWidth: 0 }}>
        <SubscriptionTable participant={participant} />
        <Region query={consumption} height={280}>
          {(data) => <ConsumptionChart consumption={data} />}
        </Region>
      </div>
      <Timeline participant={participant} />
    </div>
  )
}

function ConsumptionChart({ consumption }: { readonly consumption: Consumption }) {
  const { t, f } = useLanguage()
  const { months, unit } = consumption
  const chart = useMemo<ChartData>(() => {
    const complete = months.filter((month) => !month.running).flatMap((month) => (month.amount === null ? [] : [month.amount]))
    const average = meanQuantity(complete)
    const total = sumQuantities(months.flatMap((month) => (month.amount === null ? [] : [month.amount])))
    const ghost = months.some((month) => month.lastYear !== null)
    return {
      title: t.participant.consumption,
      unit: unitName(unit),
      summary: t.participant.consumptionSummary(
        f.month(months[0]?.month ?? '2000-01'),
        f.month(months.at(-1)?.month ?? '2000-01'),
        withUnit(f.whole(total), unit),
        withUnit(f.whole(average), unit)
      ),
      categoryName: t.participant.month,
      categories: months.map((month) => f.shortMonth(month.month)),
      series: [
        {
          name: t.participant.consumed,
          values: months.map((month) => month.amount),
          estimated: months.map((month) => month.estimated),
          color: '--endeks-water',
          kind: 'bar' as const
        },
        ...(ghost
          ? [
              {
                name: t.participant.lastYear,
                values: months.map((month) => month.lastYear),
                color: '--endeks-border',
                kind: 'ghost' as const
              }
            ]
          : [])
      ],
      ...(complete.length > 1 ? { average: { name: t.participant.average, value: average } } : {})
    }
  }, [months, unit, t, f])
  if (months.every((month) => month.amount === null)) return <Empty>{t.participant.noConsumption}</Empty>
  return <Chart data={chart} format={f.whole} />
}

type Filter = 'all' | 'money' | 'meters'

const kinds: Readonly<Record<Filter, readonly string[]>> = {
  all: ['invoice', 'collection', 'due', 'installation'],
  money: ['invoice', 'collection', 'due'],
  meters: ['installation']
}

function isFilter(text: string): text is Filter {
  return Object.hasOwn(kinds, text)
}

type Event = ParticipantDetail['timeline'][number]

function Timeline({ participant }: { readonly participant: ParticipantDetail }) {
  const { t, f } = useLanguage()
  const [filter, setFilter] = useState<Filter>('all')
  const events = participant.timeline.filter((event) => kinds[filter].includes(event.kind))
  return (
    <Section
      title={t.participant.timeline}
      actions={
        <SegmentedControl
          aria-label={t.common.filter}
          value={filter}
          onChange={(value) => setFilter(isFilter(value) ? value : 'all')}
          data={[
            { value: 'all', label: t.participant.filters.all },
            { value: 'money', label: t.participant.filters.money },
            { value: 'meters', label: t.participant.filters.meters }
          ]}
        />
      }
    >
      {events.length === 0 ? (
        <Empty>{t.participant.noEvents}</Empty>
      ) : (
        <ul className="timeline">
          {events.map((event) => (
            <li key={`${event.kind} ${event.ref} ${event.at}`}>
              <span className="dim">{f.date(event.at)}</span>
              <span style={{ overflowWrap: 'anywhere' }}>
                {t.participant.events[event.kind]} <EventLink event={event} />
              </span>
              <span className="num">{event.amount === null ? '' : f.money(event.amount)}</span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  )
}

function EventLink({ event }: { readonly event: Event }) {
  const to = event.kind === 'installation' ? `/meters/${event.ref}` : event.kind === 'collection' ? null : `/invoices/${event.label}`
  if (to === null) return <span className="mono">{event.label}</span>
  return (
    <Link className="link mono" to={to}>
      {event.label}
    </Link>
  )
}
