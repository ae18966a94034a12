import type { ReactNode } from 'react'

export interface Column<Row> {
  readonly key: string
  readonly head: ReactNode
  readonly cell: (row: Row) => ReactNode
  /** numbers stand right, text left */
  readonly align?: 'left' | 'right'
  /** the width from which on the column is shown; without it, always */
  readonly from?: 'mid' | 'wide'
  readonly clip?: boolean
  /** in the totals row */
  readonly total?: ReactNode
}

/** What is cut at the edge of its column is whole on hover. */
export function cellTitle<Row>(column: Column<Row>, row: Row): string | undefined {
  if (column.clip !== true) return undefined
  const content = column.cell(row)
  return typeof content === 'string' ? content : undefined
}

export function cellClass<Row>(column: Column<Row>): string {
  const names: string[] = []
  if (column.align === 'right') names.push('num')
  if (column.from === 'mid') names.push('mid-only')
  if (column.from === 'wide') names.push('wide-only', 'mid-only')
  if (column.clip === true) names.push('clip')
  return names.join(' ')
}
