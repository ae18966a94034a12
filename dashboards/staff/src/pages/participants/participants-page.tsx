import type { ParticipantRow } from '@endeks/billing-api/contract'
import { Button, TextInput } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { queries } from '../../api/queries.js'
import { useSearchText } from '../../app/use-search-text.js'
import { Amount } from '../../components/amount.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { SearchIcon } from '../../components/icons.js'
import { Page } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { useLanguage } from '../../i18n/language.js'

export function ParticipantsPage() {
  const { t, f } = useLanguage()
  const navigate = useNavigate()
  const { search, typed, setTyped } = useSearchText()
  const list = useInfiniteQuery(queries.participants({ search }))
  const columns = useMemo<Column<ParticipantRow>[]>(
    () => [
      { key: 'registryNo', head: t.participants.registryNo, cell: (row) => <span className="mono">{row.registryNo}</span> },
      { key: 'name', head: t.participants.name, cell: (row) => row.name, clip: true },
      { key: 'properties', head: t.participants.properties, cell: (row) => row.properties.join(', '), from: 'mid', clip: true },
      { key: 'ownership', head: t.participants.ownership, cell: (row) => t.states[row.ownershipStatus], from: 'wide' },
      { key: 'subscriptions', head: t.participants.subscriptions, cell: (row) => f.count(row.subscriptions), align: 'right', from: 'wide' },
      { key: 'overdue', head: t.participants.overdue, cell: (row) => <Amount of={row.overdue} warn />, align: 'right', from: 'mid' },
      { key: 'debt', head: t.participants.debt, cell: (row) => <Amount of={row.debt} />, align: 'right' }
    ],
    [t, f]
  )
  return (
    <Page title={t.participants.title} fixed>
      <TextInput
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
        placeholder={t.participants.searchHint}
        aria-label={t.participants.searchHint}
        leftSection={<SearchIcon size={16} />}
        maw={420}
        data-testid="participants-search"
      />
      <Region query={list} height={400} fill>
        {(data) => (
          <DataTable
            label={t.participants.title}
            columns={columns}
            rows={data.pages.flatMap((page) => page.items)}
            rowKey={(row) => row.registryNo}
            onOpen={(row) => void navigate(`/participants/${row.registryNo}`)}
            hasMore={list.hasNextPage && !list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
            testId="participant-row"
            empty={
              search === '' ? (
                <Empty>{t.participants.empty}</Empty>
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
