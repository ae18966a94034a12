import { fileURLToPath } from 'node:url'
import { configInvalid, loadJsonFile } from '@endeks/domain/process'
import { checkKdvTable, type KdvTable } from './tariff/index.js'

/** The table that is shipped: dated rates with who confirmed them. */
export const shippedKdvFile = fileURLToPath(new URL('../../parameters/kdv.json', import.meta.url))

/** @throws {AppError} CONFIG_INVALID that lists every problem */
export function loadKdvTable(path: string = shippedKdvFile): KdvTable {
  const table = checkKdvTable(loadJsonFile(path))
  if (!table.ok) throw configInvalid(path, table.error)
  return table.value
}
