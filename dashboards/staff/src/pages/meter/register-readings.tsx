import type { Reading } from '@endeks/billing-api/contract'
import { SegmentedControl } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useSearchParams } from 'react-router'
import { queries } from '../../api/queries.js'
import { Chart } from '../../components/chart/chart.js'
import type { ChartData } from '../../components/chart/dataset.js'
import type { Column } from '../../components/column.js'
import { CopyButton } from '../../components/copy-button.js'
import { DataTable } from '../../components/data-table.js'
import { Section } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { unitName, withUnit } from '../../format/number.js'
import { sumQuantities } from '../../format/sum.js'
import { useLanguage } from '../../i18n/language.js'
import { differencesBy, type Grain } from './differences.js'

export function RegisterReadings({ register }: { readonly register: string }) {
  const { t, f } = useLanguage()
  const readings = useInfiniteQuery(queries.readings(register))
  return (
    <Region query={readings} height={400}>
      {(data) => {
        const rows = data.pages.flatMap((page) => page.items)
        if (rows.length === 0) return <Empty>{t.meter.noReadings}</Empty>
        return (
          <>
            <ReadingsChart readings={rows} />
            {readings.hasNextPage && (
              <div className="dim" style={{ fontSize: 12 }}>
                {t.meter.partial(f.count(rows.length))}
              </div>
            )}
            <Section title={t.meter.readings}>
              <ReadingsTable
                rows={rows}
                hasMore={readings.hasNextPage && !readings.isFetchingNextPage}
                onMore={() => void readings.fetchNextPage()}
              />
            </Section>
          </>
        )
      }}
    </Region>
  )
}

function ReadingsChart({ readings }: { readonly readings: readonly Reading[] }) {
  const { t, f } = useLanguage()
  const [parameters, setParameters] = useSearchParams()
  const given = parameters.get('grain')
  const grain: Grain = given === 'month' || given === 'day' ? given : fitting(readings, f.localDay)
  const unit = readings[0]?.index.unit ?? 'm3'
  const chart = useMemo<ChartData>(() => {
    const buckets = differencesBy(grain, readings, f.localDay)
    const name = (key: string) => (grain === 'day' ? f.day(key) : f.month(key))
    const total = sumQuantities(buckets.flatMap((bucket) => (bucket.amount === null ? [] : [bucket.amount])))
    return {
      title: grain === 'day' ? t.meter.chartDays : t.meter.chartMonths,
      unit: unitName(unit),
      summary:
        buckets.length === 0
          ? t.participant.noConsumption
          : t.meter.chartSummary(name(buckets[0]?.key ?? ''), name(buckets.at(-1)?.key ?? ''), withUnit(f.quantity(total), unit)),
      categoryName: grain === 'day' ? t.meter.days : t.meter.months,
      categories: buckets.map((bucket) => (grain === 'day' ? f.day(bucket.key).slice(0, 5) : f.shortMonth(bucket.key))),
      series: [{ name: t.participant.consumed, values: buckets.map((bucket) => bucket.amount), color: '--endeks-water', kind: 'bar' }]
    }
  }, [grain, readings, unit, t, f])
  return (
    <div>
      <SegmentedControl
        mb={8}
        value={grain}
        onChange={(value) =>
          setParameters((old) => {
            const next = new URLSearchParams(old)
            next.set('grain', value)
            return next
          })
        }
        data={[
          { value: 'day', label: t.meter.days },
          { value: 'month', label: t.meter.months }
        ]}
      />
      <Chart data={chart} format={f.whole} height={200} />
    </div>
  )
}

/** Days where several readings fall into the days they have; months where a reading comes once a month. */
function fitting(readings: readonly Reading[], localDay: Parameters<typeof differencesBy>[2]): Grain {
  const days = differencesBy('day', readings, localDay)
  return days.filter((bucket) => bucket.amount !== null).length > 3 ? 'day' : 'month'
}

interface TableProps {
  readonly rows: readonly Reading[]
  readonly hasMore: boolean
  readonly onMore: () => void
}

function ReadingsTable({ rows, hasMore, onMore }: TableProps) {
  const { t, f } = useLanguage()
  const unit = unitName(rows[0]?.index.unit ?? 'm3')
  const columns = useMemo<Column<Reading>[]>(
    () => [
      { key: 'time', head: t.meter.time, cell: (row) => f.second(row.at) },
      { key: 'index', head: `${t.meter.index} ${unit}`, cell: (row) => f.quantity(row.index.value), align: 'right' },
      {
        key: 'difference',
        head: `${t.meter.difference} ${unit}`,
        align: 'right',
        cell: (row) => (row.difference === null ? '' : f.quantity(row.difference.value))
      },
      { key: 'source', head: t.meter.source, cell: (row) => t.sources[row.source], from: 'mid' },
      {
        key: 'raw',
        head: t.meter.raw,
        cell: (row) => <span className="mono">{`${row.raw} × 10^${row.scaler}`}</span>,
        align: 'right',
        from: 'wide'
      },
      {
        key: 'evidence',
        head: t.meter.evidence,
        from: 'wide',
        cell: (row) =>
          row.evidence === null ? (
            <span className="dim">{t.common.none}</span>
          ) : (
            <span className="mono" style={{ display: 'inline-flex', alignItems: 'center' }}>
              {row.evidence.slice(0, 12)}
              <CopyButton text={row.evidence} />
            </span>
          )
      }
    ],
    [t, f, unit]
  )
  return (
    <div style={{ height: 420, display: 'flex', flexDirection: 'column' }}>
      <DataTable
        label={t.meter.readings}
        columns={columns}
        rows={rows}
        rowKey={(row) => row.at}
        hasMore={hasMore}
        onMore={onMore}
        testId="reading-row"
        empty={<Empty>{t.meter.noReadings}</Empty>}
      />
    </div>
  )
}
