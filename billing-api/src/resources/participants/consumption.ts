import type { ApiContext } from '../../context.js'
import { monthsUntil, shiftMonth } from '../../months.js'
import { today, utilityOf } from '../../store/utility.js'
import { baseUnit, quantityOf } from '../../wire.js'
import type { Consumption } from './schema.js'
import { type MonthRow, mainCommodity, monthlyConsumption } from './store/consumption.js'
import { getParticipant } from './store/participants.js'

/** What one commodity is counted in where nothing was counted yet. */
const unitOfCommodity: Readonly<Record<string, string>> = { water: 'L', wastewater: 'L', gas: 'L', heat: 'J' }

/** The months asked for, each beside the same month a year before. */
export async function consumptionOf(
  context: ApiContext,
  query: { readonly registryNo: bigint; readonly months: number; readonly commodity: string | undefined }
): Promise<Consumption> {
  const { pool, clock } = context
  const { zone } = await utilityOf(pool)
  const day = today(clock, zone)
  const { id } = await getParticipant(pool, query.registryNo, day)
  const commodity = query.commodity ?? (await mainCommodity(pool, id))
  const running = day.slice(0, 7)
  const months = monthsUntil(running, query.months)
  const found = await monthlyConsumption(pool, {
    participantId: id,
    commodity,
    zone,
    first: `${shiftMonth(months[0] ?? running, -12)}-01`,
    end: `${shiftMonth(running, 1)}-01`
  })
  const unit = baseUnit(found.at(-1)?.unit ?? unitOfCommodity[commodity] ?? 'L')
  const byMonth = new Map(found.filter((row) => baseUnit(row.unit) === unit).map((row) => [row.month, row]))
  return {
    unit: quantityOf(0n, unit).unit,
    months: months.map((month) => toMonth(month, byMonth, running))
  }
}

function toMonth(month: string, byMonth: ReadonlyMap<string, MonthRow>, running: string): Consumption['months'][number] {
  const row = byMonth.get(month)
  const lastYear = byMonth.get(shiftMonth(month, -12))
  const complete = `${shiftMonth(month, 1)}-01`
  return {
    month,
    amount: row === undefined ? null : quantityOf(row.amount, row.unit).value,
    lastYear: lastYear === undefined ? null : quantityOf(lastYear.amount, lastYear.unit).value,
    estimated: row?.estimated ?? false,
    running: month === running,
    until: month === running ? (row === undefined ? `${month}-01` : row.until) : complete
  }
}
