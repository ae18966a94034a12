import { formatMicro } from '@endeks/domain/money'
import { toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../context.js'
import { monthsUntil } from '../../months.js'
import { type ApiServer, refusals } from '../../plugins/routing.js'
import { today, utilityOf } from '../../store/utility.js'
import { Overview } from './schema.js'
import { type LastRunRow, lastRun, monthlySums, readCounts } from './store.js'

const shownMonths = 13

export async function overviewRoutes(app: ApiServer, context: ApiContext): Promise<void> {
  app.get(
    '/overview',
    {
      config: { access: 'overview.read' },
      schema: { tags: ['overview'], summary: 'What needs a look today', response: { 200: Overview, ...refusals } }
    },
    async () => overviewOf(context)
  )
}

async function overviewOf({ pool, clock }: ApiContext): Promise<Overview> {
  const utility = await utilityOf(pool)
  const now = clock.now()
  const day = today(clock, utility.zone)
  const months = monthsUntil(day.slice(0, 7), shownMonths)
  const [counts, run, sums] = await Promise.all([readCounts(pool, now, day), lastRun(pool), monthlySums(pool, months[0] ?? '')])
  return {
    asOf: toIso(now),
    utility: { name: utility.name, zone: utility.zone, currency: utility.currency },
    exceptions: { open: counts.exceptions, holding: counts.holding },
    unassigned: counts.unassigned,
    meters: { installed: counts.installed, heardWithinDay: counts.heard, silent: counts.installed - counts.heard },
    collections: { today: formatMicro(counts.collected), receiptsToday: counts.receipts },
    debt: {
      open: formatMicro(counts.open),
      invoices: counts.open_invoices,
      overdue: formatMicro(counts.overdue),
      overdueInvoices: counts.overdue_invoices
    },
    lastRun: run === undefined ? null : toRun(run),
    months: months.map((month) => {
      const sum = sums.find((each) => each.month === month)
      return {
        month,
        accrued: formatMicro(sum?.accrued ?? 0n),
        collected: formatMicro(sum?.collected ?? 0n),
        invoices: sum?.invoices ?? 0
      }
    })
  }
}

function toRun(run: LastRunRow): NonNullable<Overview['lastRun']> {
  return {
    id: run.id.toString(),
    period: run.period,
    state: run.state,
    bills: run.bills,
    excluded: run.excluded,
    gross: formatMicro(run.gross_micro)
  }
}
