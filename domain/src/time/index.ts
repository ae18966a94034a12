export { billingMonth, billingMonths, type Period, periodDays, startOfDay, wholeDays } from './calendar.js'
export { type Clock, type EpochMs, epochMs, fromIso, toIso } from './instant.js'
