import type { ReactNode } from 'react'
import { type Column, cellClass, cellTitle } from './column.js'

interface PlainTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly testId?: string
  /** a line that opens under a row */
  readonly after?: (row: Row) => ReactNode
  readonly isActive?: (row: Row) => boolean
}

/** A short table that is shown whole. */
export function PlainTable<Row>({ label, columns, rows, rowKey, testId, after, isActive }: PlainTableProps<Row>) {
  const totals = columns.some((column) => column.total !== undefined)
  return (
    <div className="table-wrap">
      <table className="ledger" aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.key} scope="col" className={cellClass({ ...column, clip: false })}>
                {column.head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <PlainRow key={rowKey(row)} {...{ row, columns, testId, after, isActive, id: rowKey(row) }} />
          ))}
        </tbody>
        {totals && (
          <tfoot>
            <tr>
              {columns.map((column) => (
                <td key={column.key} className={cellClass(column)}>
                  {column.total}
                </td>
              ))}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  )
}

function PlainRow<Row>(props: {
  readonly row: Row
  readonly id: string
  readonly columns: readonly Column<Row>[]
  readonly testId: string | undefined
  readonly after: ((row: Row) => ReactNode) | undefined
  readonly isActive: ((row: Row) => boolean) | undefined
}) {
  const { row, columns, after } = props
  const below = after?.(row) ?? null
  return (
    <>
      <tr data-testid={props.testId} data-key={props.id} data-active={props.isActive?.(row) ?? false}>
        {columns.map((column) => (
          <td key={column.key} className={cellClass(column)} title={cellTitle(column, row)}>
            {column.cell(row)}
          </td>
        ))}
      </tr>
      {below !== null && (
        <tr>
          <td colSpan={columns.length}>{below}</td>
        </tr>
      )}
    </>
  )
}
