import type { InvoicePage, InvoiceRow } from '@endeks/billing-api/contract'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate, useSearchParams } from 'react-router'
import { call } from '../../api/client.js'
import { queries } from '../../api/queries.js'
import { Amount } from '../../components/amount.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { Empty, Region } from '../../components/region.js'
import { InvoiceStatusMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { readFilter } from './filter.js'
import { FilterBar } from './filter-bar.js'

/** Invoices under a filter that stands in the address; a participant's page locks one chip of it. */
export function InvoiceList({ locked }: { readonly locked?: string }) {
  const { t } = useLanguage()
  const navigate = useNavigate()
  const [parameters, setParameters] = useSearchParams()
  const chosen = readFilter(parameters)
  const filter = locked === undefined ? chosen : { ...chosen, participant: locked }
  const list = useInfiniteQuery(queries.invoices(filter))
  const totals = list.data?.pages[0]?.totals
  const columns = useColumns(totals, locked !== undefined)
  return (
    <>
      <FilterBar locked={locked} />
      <Region query={list} height={400} fill>
        {(data) => (
          <DataTable
            label={t.invoices.title}
            columns={columns}
            rows={data.pages.flatMap((page) => page.items)}
            rowKey={(row) => row.label}
            onOpen={(row) => void navigate(`/invoices/${row.label}`)}
            totalRows={totals?.count ?? 0}
            hasMore={list.hasNextPage && !list.isFetchingNextPage}
            onMore={() => void list.fetchNextPage()}
            testId="invoice-row"
            empty={
              Object.keys(chosen).length === 0 ? (
                <Empty>{t.invoices.empty}</Empty>
              ) : (
                <FilterHidesAll locked={locked} onClear={() => setParameters({})} />
              )
            }
          />
        )}
      </Region>
    </>
  )
}

function useColumns(totals: InvoicePage['totals'] | undefined, locked: boolean): Column<InvoiceRow>[] {
  const { t, f } = useLanguage()
  return useMemo(() => {
    const total = (text: string | undefined) => text ?? ''
    const all: (Column<InvoiceRow> | null)[] = [
      {
        key: 'number',
        head: t.invoices.number,
        cell: (row) => <span className="mono">{row.label}</span>,
        total: totals === undefined ? '' : t.invoices.totalOf(f.count(totals.count))
      },
      locked
        ? null
        : { key: 'registryNo', head: t.invoices.registryNo, cell: (row) => row.participant.registryNo, from: 'wide', total: '' },
      locked
        ? null
        : { key: 'name', head: t.invoices.participant, cell: (row) => row.participant.name, clip: true, from: 'mid', total: '' },
      { key: 'period', head: t.invoices.period, cell: (row) => f.shortMonth(row.period), from: locked ? 'mid' : 'wide', total: '' },
      { key: 'issued', head: t.invoices.issueDate, cell: (row) => f.day(row.issueDate), from: 'wide', total: '' },
      { key: 'due', head: t.invoices.dueDate, cell: (row) => f.day(row.dueDate), from: 'mid', total: '' },
      { key: 'status', head: t.invoices.status, cell: (row) => <InvoiceStatusMark status={row.status} />, from: 'mid', total: '' },
      {
        key: 'gross',
        head: t.invoices.gross,
        cell: (row) => f.amount(row.gross),
        align: 'right',
        total: total(totals && f.amount(totals.gross))
      },
      {
        key: 'open',
        head: t.invoices.open,
        cell: (row) => <Amount of={row.open} warn={row.status === 'overdue'} />,
        align: 'right',
        total: total(totals && f.amount(totals.open))
      }
    ]
    return all.filter((column) => column !== null)
  }, [t, f, totals, locked])
}

/** The filter hides everything: how much there is without it. */
function FilterHidesAll({ locked, onClear }: { readonly locked: string | undefined; readonly onClear: () => void }) {
  const { t, f } = useLanguage()
  const path = locked === undefined ? '/invoices?limit=1' : `/invoices?limit=1&participant=${locked}`
  const without = useQuery({ queryKey: ['invoices-without-filter', locked], queryFn: ({ signal }) => call<InvoicePage>(path, { signal }) })
  const count = without.data === undefined ? '' : `, ${t.invoices.withoutFilter(f.count(without.data.totals.count))}`
  return (
    <Empty
      action={
        <Button variant="default" onClick={onClear}>
          {t.common.clearFilter}
        </Button>
      }
    >
      {t.common.filterHides}
      {count}
    </Empty>
  )
}
