import type { Overview } from '@endeks/billing-api/contract'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useMemo } from 'react'
import { Link } from 'react-router'
import { queries } from '../../api/queries.js'
import { Chart } from '../../components/chart/chart.js'
import type { ChartData } from '../../components/chart/dataset.js'
import { Page } from '../../components/page.js'
import { Empty, Region } from '../../components/region.js'
import { RunStateMark, StateMark } from '../../components/state-mark.js'
import { sumMoney } from '../../format/sum.js'
import { useLanguage } from '../../i18n/language.js'

export function OverviewPage() {
  const { t, f } = useLanguage()
  const overview = useQuery(queries.overview())
  const data = overview.data
  return (
    <Page
      title={t.overview.title}
      facts={
        data === undefined ? undefined : (
          <>
            <span>{data.utility.name}</span>
            <span>{t.common.asOf(f.minute(data.asOf))}</span>
          </>
        )
      }
    >
      <Region query={overview} height={160}>
        {(given) => <Cards overview={given} />}
      </Region>
      {data !== undefined && <Months overview={data} />}
    </Page>
  )
}

function Cards({ overview }: { readonly overview: Overview }) {
  const { t, f } = useLanguage()
  const { exceptions, meters, collections, debt, lastRun } = overview
  return (
    <div className="cards" data-testid="cards">
      <Card title={t.overview.exceptions} figure={f.count(exceptions.open)} testId="card-exceptions">
        {exceptions.open === 0 && overview.unassigned === 0 ? (
          <StateMark tone="ok">{t.overview.nothingWaiting}</StateMark>
        ) : (
          <>
            <StateMark tone={exceptions.holding > 0 ? 'warn' : 'neutral'}>{t.overview.holding(f.count(exceptions.holding))}</StateMark>
            <div>{t.overview.unassigned(f.count(overview.unassigned))}</div>
          </>
        )}
      </Card>
      <Card
        title={lastRun === null ? t.overview.lastRun : `${t.overview.lastRun} ${f.month(lastRun.period)}`}
        figure={lastRun === null ? '0' : f.money(lastRun.gross)}
        go={
          lastRun === null
            ? { to: '/billing/runs', text: t.overview.toRuns }
            : { to: `/billing/runs/${lastRun.id}`, text: t.overview.toRun }
        }
        testId="card-run"
      >
        {lastRun === null ? (
          t.overview.noRun
        ) : (
          <>
            <RunStateMark state={lastRun.state} />
            <div>{t.overview.runBills(f.count(lastRun.bills), f.count(lastRun.excluded))}</div>
          </>
        )}
      </Card>
      <Card
        title={t.overview.collections}
        figure={f.money(collections.today)}
        go={{ to: '/collections', text: t.overview.toCollections }}
        testId="card-collections"
      >
        {t.overview.receipts(f.count(collections.receiptsToday))}
      </Card>
      <Card
        title={t.overview.meters}
        figure={f.count(meters.installed)}
        go={{ to: '/readings/gateways', text: t.overview.toGateways }}
        testId="card-meters"
      >
        <div>{t.overview.heard(f.count(meters.heardWithinDay), f.count(meters.installed))}</div>
        {meters.silent > 0 && <StateMark tone="warn">{t.overview.silent(f.count(meters.silent))}</StateMark>}
      </Card>
      <Card
        title={t.overview.debt}
        figure={f.money(debt.open)}
        go={{ to: '/billing/invoices?status=overdue', text: t.overview.toOverdue(f.count(debt.overdueInvoices)) }}
        testId="card-debt"
      >
        <div>{t.overview.debtInvoices(f.count(debt.invoices))}</div>
        <div>{t.overview.overdue(f.money(debt.overdue))}</div>
      </Card>
    </div>
  )
}

interface CardProps {
  readonly title: string
  readonly figure: string
  readonly go?: { readonly to: string; readonly text: string }
  readonly testId: string
  readonly children: ReactNode
}

function Card({ title, figure, go, testId, children }: CardProps) {
  return (
    <section className="card" data-testid={testId}>
      <h2>{title}</h2>
      <div className="figure">{figure}</div>
      <div className="under">{children}</div>
      {go !== undefined && (
        <Link className="link go" to={go.to}>
          {go.text}
        </Link>
      )}
    </section>
  )
}

function Months({ overview }: { readonly overview: Overview }) {
  const { t, f } = useLanguage()
  const { months } = overview
  const chart = useMemo<ChartData>(
    () => ({
      title: t.overview.months,
      unit: t.overview.monthsUnit,
      summary: t.overview.summary(
        f.month(months[0]?.month ?? '2000-01'),
        f.month(months.at(-1)?.month ?? '2000-01'),
        f.money(sumMoney(months.map((month) => month.accrued))),
        f.money(sumMoney(months.map((month) => month.collected)))
      ),
      categoryName: t.overview.month,
      categories: months.map((month) => f.shortMonth(month.month)),
      series: [
        { name: t.overview.accrued, values: months.map((month) => month.accrued), color: '--endeks-accent', kind: 'bar' },
        { name: t.overview.collected, values: months.map((month) => month.collected), color: '--endeks-info', kind: 'bar' }
      ]
    }),
    [months, t, f]
  )
  if (months.length === 0) return <Empty>{t.overview.newSite}</Empty>
  return <Chart data={chart} format={f.amount} height={240} />
}
