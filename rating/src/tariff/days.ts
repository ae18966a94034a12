import { AppError } from '@endeks/domain/errors'

/** Days since 1970-01-01. Rating reckons with these: a calendar object for each bill would cost more than the bill. */
export type EpochDay = number & { readonly __brand: 'EpochDay' }

interface CivilDate {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
}

/**
 * "2026-10-01" to its day number, by the proleptic Gregorian calendar.
 *
 * @throws {AppError} VALIDATION for anything but a day that exists
 */
export function epochDay(text: string): EpochDay {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  const date = { year: Number(match?.[1]), month: Number(match?.[2]), day: Number(match?.[3]) }
  if (match === null || date.month < 1 || date.month > 12 || date.day < 1 || date.day > daysInMonth(date.year, date.month)) {
    throw new AppError('VALIDATION', `"${text.slice(0, 40)}" is not a date such as 2026-11-01`, { text: text.slice(0, 40) })
  }
  return dayNumber(date)
}

export function formatEpochDay(day: EpochDay): string {
  const { year, month, day: dayOfMonth } = civilDate(day)
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(dayOfMonth).padStart(2, '0')}`
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Years are counted from March, so that the leap day is the last of its year and months follow one line of 153 days in five. */
function dayNumber({ year, month, day }: CivilDate): EpochDay {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return (era * 146_097 + dayOfEra - 719_468) as EpochDay
}

function civilDate(day: EpochDay): CivilDate {
  const shifted = day + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  }
}

/** The least common multiple of 28, 29, 30 and 31: a day of any month is a whole number of these parts of its month. */
export const monthParts = 377_580n

/**
 * Calendar months in [from, to), in `monthParts`: a day counts as its share of the month that it lies in, so that any whole
 * month is one month and splitting a period changes no sum.
 */
export function monthsBetween(from: EpochDay, to: EpochDay): bigint {
  let parts = 0
  let day: number = from
  while (day < to) {
    const { year, month, day: dayOfMonth } = civilDate(day as EpochDay)
    const length = daysInMonth(year, month)
    const days = Math.min(length - dayOfMonth + 1, to - day)
    parts += (days * Number(monthParts)) / length
    day += days
  }
  return BigInt(parts)
}
