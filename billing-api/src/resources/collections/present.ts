import { formatMicro } from '@endeks/domain/money'
import { toIso } from '@endeks/domain/time'
import type { Collection } from './schema.js'
import type { CollectionRow, SettledRow } from './store/list.js'

/** @param settled what this and maybe other collections have settled */
export function toWire(row: CollectionRow, settled: readonly SettledRow[]): Collection {
  return {
    id: row.id.toString(),
    label: row.label,
    participant: { registryNo: row.registry_no.toString(), name: row.name },
    method: 'cash',
    amount: formatMicro(row.gross_micro),
    date: row.issue_date,
    takenAt: toIso(row.issued_at),
    takenBy: row.issued_by,
    invoices: settled
      .filter((each) => each.collection_id === row.id)
      .map((each) => ({
        id: each.id.toString(),
        label: each.label,
        amount: formatMicro(each.amount_micro),
        open: formatMicro(each.open)
      })),
    debt: formatMicro(row.debt)
  }
}
