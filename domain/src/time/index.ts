export {
  billingMonth,
  billingMonths,
  fromLocal,
  type LocalTime,
  type Period,
  periodDays,
  startOfDay,
  toLocal,
  wholeDays
} from './calendar.js'
export { type Clock, type EpochMs, epochMs, fromIso, toIso } from './instant.js'
