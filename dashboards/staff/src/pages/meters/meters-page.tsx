import type { MeterDetail } from '@endeks/billing-api/contract'
import { Button, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { queries } from '../../api/queries.js'
import { useSearchText } from '../../app/use-search-text.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { SearchIcon } from '../../components/icons.js'
import { Page } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { withUnit } from '../../format/number.js'
import { useLanguage } from '../../i18n/language.js'
import { readingTabs } from '../tabs.js'

export function MetersPage() {
  const { t } = useLanguage()
  const navigate = useNavigate()
  const { search, typed, setTyped } = useSearchText()
  const list = useInfiniteQuery(queries.meters({ search }))
  const columns = useColumns()
  return (
    <Page title={t.meters.title} tabs={readingTabs(t)} fixed>
      <TextInput
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        placeholder={t.meters.searchHint}
        aria-label={t.meters.searchHint}
        leftSection={<SearchIcon size={16} />}
        maw={420}
      />
      <Region query={list} height={400} fill>
        {(data) => (
          <DataTable
            label={t.meters.title}
            columns={columns}
            rows={data.pages.flatMap((page) => page.items)}
            rowKey={(row) => row.id}
            onOpen={(row) => void navigate(`/meters/${row.id}`)}
            hasMore={list.hasNextPage && !list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
            testId="meter-row"
            empty={
              search === '' ? (
                <Empty>{t.meters.empty}</Empty>
              ) : (
                <Empty
                  action={
                    <Button variant="default" onClick={() => setTyped('')}>
                      {t.common.clearFilter}
                    </Button>
                  }
                >
                  {t.common.filterHides}: "{search}"
                </Empty>
              )
            }
          />
        )}
      </Region>
    </Page>
  )
}

/** The newest reading of any of the meter's registers. */
export function lastReading(meter: MeterDetail) {
  const readings = meter.registers.flatMap((register) => (register.lastReading === null ? [] : [register.lastReading]))
  return readings.sort((left, right) => right.at.localeCompare(left.at))[0] ?? null
}

export function placeOf(meter: MeterDetail) {
  return meter.installations.find((installation) => installation.to === null) ?? null
}

function useColumns(): Column<MeterDetail>[] {
  const { t, f } = useLanguage()
  return useMemo(
    () => [
      { key: 'serial', head: t.meters.serial, cell: (row) => <span className="mono">{row.serial}</span> },
      { key: 'manufacturer', head: t.meters.manufacturer, cell: (row) => row.manufacturer, from: 'wide' },
      { key: 'medium', head: t.meters.medium, cell: (row) => row.medium, from: 'wide' },
      { key: 'property', head: t.meters.property, cell: (row) => placeOf(row)?.property ?? '', from: 'mid' },
      { key: 'point', head: t.meters.servicePoint, cell: (row) => placeOf(row)?.servicePoint ?? '', from: 'mid' },
      {
        key: 'reading',
        head: t.meters.lastReading,
        cell: (row) => {
          const reading = lastReading(row)
          return reading === null ? <span className="dim">{t.common.none}</span> : f.minute(reading.at)
        }
      },
      {
        key: 'index',
        head: t.meters.lastIndex,
        align: 'right',
        cell: (row) => {
          const reading = lastReading(row)
          return reading === null ? '' : withUnit(f.quantity(reading.index.value), reading.index.unit)
        }
      }
    ],
    [t, f]
  )
}
