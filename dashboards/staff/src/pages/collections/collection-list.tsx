import type { Collection } from '@endeks/billing-api/contract'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { Link, useNavigate } from 'react-router'
import { queries, receiptPdf } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { Empty, Region } from '../../components/region.js'
import { useLanguage } from '../../i18n/language.js'

export function CollectionList({ participant }: { readonly participant?: string }) {
  const { t, f, language } = useLanguage()
  const navigate = useNavigate()
  const list = useInfiniteQuery(queries.collections({ participant }))
  const columns = useMemo<Column<Collection>[]>(() => {
    const all: (Column<Collection> | null)[] = [
      {
        key: 'receipt',
        head: t.collections.receipt,
        cell: (row) => (
          <a className="link mono" href={receiptPdf(row.label, language)} target="_blank" rel="noopener">
            {row.label}
          </a>
        )
      },
      participant === undefined
        ? { key: 'participant', head: t.collections.participant, cell: (row) => row.participant.name, clip: true, from: 'mid' }
        : null,
      { key: 'takenAt', head: t.collections.takenAt, cell: (row) => f.minute(row.takenAt) },
      { key: 'method', head: t.collections.method, cell: (row) => (row.method === 'cash' ? t.methods.cash : row.method), from: 'wide' },
      { key: 'takenBy', head: t.collections.takenBy, cell: (row) => row.takenBy, from: 'wide' },
      {
        key: 'invoices',
        head: t.collections.invoices,
        from: 'mid',
        cell: (row) => (
          <>
            {row.invoices.slice(0, 1).map((invoice) => (
              <Link key={invoice.id} className="link mono" to={`/invoices/${invoice.label}`}>
                {invoice.label}
              </Link>
            ))}
            {row.invoices.length > 1 && ` +${f.count(row.invoices.length - 1)}`}
          </>
        )
      },
      { key: 'amount', head: t.collections.amount, cell: (row) => f.amount(row.amount), align: 'right' }
    ]
    return all.filter((column) => column !== null)
  }, [t, f, language, participant])
  const opens = participant === undefined
  return (
    <Region query={list} height={400} fill>
      {(data) => (
        <DataTable
          label={t.collections.title}
          columns={columns}
          rows={data.pages.flatMap((page) => page.items)}
          rowKey={(row) => row.label}
          {...(opens ? { onOpen: (row: Collection) => void navigate(`/participants/${row.participant.registryNo}/collections`) } : {})}
          hasMore={list.hasNextPage && !list.isFetchingNextPage}
          onMore={() => void list.fetchNextPage()}
          testId="collection-row"
          empty={<Empty>{t.collections.empty}</Empty>}
        />
      )}
    </Region>
  )
}
