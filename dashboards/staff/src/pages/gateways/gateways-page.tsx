import type { GatewayRow } from '@endeks/billing-api/contract'
import { fromIso } from '@endeks/domain/time'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { queries } from '../../api/queries.js'
import type { Column } from '../../components/column.js'
import { Page } from '../../components/page.js'
import { PlainTable } from '../../components/plain-table.js'
import { Empty, Region } from '../../components/region.js'
import { StateMark } from '../../components/state-mark.js'
import { useLanguage } from '../../i18n/language.js'
import { readingTabs } from '../tabs.js'

/** A gateway that was not heard for an hour has missed at least one of its own deadlines. */
const quietAfterMs = 3_600_000

export function GatewaysPage() {
  const { t } = useLanguage()
  const gateways = useQuery(queries.gateways())
  return (
    <Page title={t.gateways.title} tabs={readingTabs(t)}>
      <Region query={gateways} height={200}>
        {(data) =>
          data.items.length === 0 ? (
            <Empty>{t.gateways.empty}</Empty>
          ) : (
            <GatewayTable rows={data.items} fetchedAt={gateways.dataUpdatedAt} />
          )
        }
      </Region>
    </Page>
  )
}

function GatewayTable({ rows, fetchedAt }: { readonly rows: readonly GatewayRow[]; readonly fetchedAt: number }) {
  const { t, f } = useLanguage()
  const problems = (count: number) => (count === 0 ? <span className="dim">0</span> : <StateMark tone="warn">{f.count(count)}</StateMark>)
  const columns: Column<GatewayRow>[] = [
    { key: 'id', head: t.gateways.id, cell: (row) => <GatewayLink id={row.id} /> },
    { key: 'name', head: t.gateways.name, cell: (row) => row.name, from: 'wide', clip: true },
    { key: 'state', head: t.gateways.state, cell: (row) => <GatewayState row={row} fetchedAt={fetchedAt} /> },
    {
      key: 'heard',
      head: t.gateways.lastHeard,
      from: 'mid',
      cell: (row) => (row.lastHeardAt === null ? <span className="dim">{t.common.none}</span> : f.second(row.lastHeardAt))
    },
    { key: 'meters', head: t.gateways.meters, cell: (row) => f.count(row.meters), align: 'right' },
    { key: 'unassigned', head: t.gateways.unassigned, cell: (row) => problems(row.unassigned), align: 'right', from: 'mid' },
    { key: 'dead', head: t.gateways.deadLetters, cell: (row) => problems(row.deadLetters), align: 'right', from: 'mid' },
    { key: 'gaps', head: t.gateways.gaps, cell: (row) => problems(row.openGaps), align: 'right' },
    { key: 'lost', head: t.gateways.lostReadings, cell: (row) => problems(row.lostReadings), align: 'right', from: 'wide' }
  ]
  return <PlainTable label={t.gateways.title} columns={columns} rows={rows} rowKey={(row) => row.id} testId="gateway-row" />
}

function GatewayLink({ id }: { readonly id: string }) {
  return (
    <Link className="mono" to={`/readings/gateways/${id}`}>
      {id}
    </Link>
  )
}

function GatewayState({ row, fetchedAt }: { readonly row: GatewayRow; readonly fetchedAt: number }) {
  const { t } = useLanguage()
  if (row.lastHeardAt === null) return <StateMark tone="neutral">{t.gateways.silent}</StateMark>
  if (fetchedAt - fromIso(row.lastHeardAt) > quietAfterMs) return <StateMark tone="warn">{t.gateways.quiet}</StateMark>
  return <StateMark tone="ok">{t.gateways.heard}</StateMark>
}
