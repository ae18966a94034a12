import { AppError } from '@endeks/domain/errors'
import { type EpochMs, fromIso } from '@endeks/domain/time'

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** Reads an instant as OpenSSL writes it: `Nov  4 16:15:37 2026 GMT`. @throws {AppError} CONFIG_INVALID */
export function certificateTime(text: string): EpochMs {
  const [, name = '', day = '', time = '', year = ''] = /^(\w{3})\s+(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4}) GMT$/.exec(text) ?? []
  const month = months.indexOf(name) + 1
  if (month === 0) throw new AppError('CONFIG_INVALID', `"${text}" is no instant of a certificate`)
  return fromIso(`${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')}T${time}Z`)
}
