import type { TariffRow } from '@endeks/billing-api/contract'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useNavigate } from 'react-router'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { DataTable } from '../../components/data-table.js'
import { Page } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { useLanguage } from '../../i18n/language.js'
import { billingTabs } from '../tabs.js'

export function TariffsPage() {
  const { t, f, language } = useLanguage()
  const navigate = useNavigate()
  const tariffs = useQuery(queries.tariffs())
  const columns = useMemo<Column<TariffRow>[]>(
    () => [
      { key: 'code', head: t.tariffs.code, cell: (row) => <span className="mono">{row.code}</span> },
      { key: 'name', head: t.tariffs.name, cell: (row) => row.name[language], clip: true },
      { key: 'version', head: t.tariffs.version, cell: (row) => newest(row)?.version ?? '' },
      {
        key: 'from',
        head: t.tariffs.validFrom,
        from: 'mid',
        cell: (row) => {
          const version = newest(row)
          return version === undefined ? '' : f.day(version.validFrom)
        }
      },
      { key: 'subscriptions', head: t.tariffs.subscriptions, cell: (row) => f.count(row.subscriptions), align: 'right' }
    ],
    [t, f, language]
  )
  return (
    <Page title={t.tariffs.title} tabs={billingTabs(t)} fixed>
      <Region query={tariffs} height={200} fill>
        {(data) => (
          <DataTable
            label={t.tariffs.title}
            columns={columns}
            rows={data.items}
            rowKey={(row) => row.code}
            onOpen={(row) => void navigate(`/billing/tariffs/${row.code}`)}
            testId="tariff-row"
            empty={<Empty>{t.tariffs.empty}</Empty>}
          />
        )}
      </Region>
    </Page>
  )
}

export function newest(tariff: TariffRow) {
  return [...tariff.versions].sort((left, right) => right.validFrom.localeCompare(left.validFrom))[0]
}
