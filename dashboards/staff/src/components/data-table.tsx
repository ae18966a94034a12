import { useHotkeys } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { useLetters } from '../app/preferences.js'
import { useLanguage } from '../i18n/language.js'
import { type Column, cellClass, cellTitle } from './column.js'

interface DataTableProps<Row> {
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  readonly onOpen?: (row: Row) => void
  readonly testId?: string
  /** of the whole list, where the server counted it; the loaded ones may be fewer */
  readonly totalRows?: number
  readonly hasMore?: boolean
  readonly onMore?: () => void
  readonly empty: ReactNode
}

/** A table that takes the keyboard is a grid to a screen reader: it then passes the arrow keys on to the page. */
const focusable = (activeRow: string | undefined) => ({ role: 'grid', tabIndex: 0, 'aria-activedescendant': activeRow }) as const

const rowHeights = { compact: 28, comfortable: 36, touch: 48 } as const

/** Rows are a little higher on a phone, where a finger aims. */
function rowHeight(): number {
  const density = document.documentElement.dataset['density']
  const height = density === 'comfortable' || density === 'touch' ? rowHeights[density] : rowHeights.compact
  return window.matchMedia('(max-width: 767px)').matches ? Math.max(36, height) : height
}

/**
 * A list of any length: a real table of which only the rows in sight exist. The table holds the focus and names the active
 * row, since a focused row that scrolls away would take the focus with it.
 */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, rowKey, onOpen, hasMore = false, onMore } = props
  const { t, f } = useLanguage()
  const letters = useLetters()
  const container = useRef<HTMLDivElement>(null)
  const grid = useRef<HTMLTableElement>(null)
  const id = useId()
  const [active, setActive] = useState(-1)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => container.current,
    estimateSize: rowHeight,
    overscan: 8,
    initialRect: { width: 800, height: 600 }
  })
  const items = virtual.getVirtualItems()
  const lastVisible = items.at(-1)?.index ?? -1
  useEffect(() => {
    if (hasMore && lastVisible >= rows.length - 20) onMore?.()
  }, [hasMore, lastVisible, rows.length, onMore])

  const move = (step: number) => {
    const next = Math.min(rows.length - 1, Math.max(0, active + step))
    setActive(next)
    virtual.scrollToIndex(next)
    grid.current?.focus({ preventScroll: true })
  }
  const open = (index: number) => {
    const row = rows[index]
    if (row !== undefined) onOpen?.(row)
  }
  useHotkeys(
    letters
      ? [
          ['j', () => move(1)],
          ['k', () => move(-1)]
        ]
      : []
  )
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== grid.current) return
    if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else if (event.key === 'Enter') open(active)
    else return
    event.preventDefault()
  }
  if (rows.length === 0) return props.empty
  const before = items[0]?.start ?? 0
  const after = virtual.getTotalSize() - (items.at(-1)?.end ?? 0)
  return (
    <div className="table-wrap fill" ref={container}>
      <table
        className="ledger"
        ref={grid}
        {...focusable(active >= 0 ? `${id}-${active}` : undefined)}
        aria-label={props.label}
        aria-rowcount={(props.totalRows ?? rows.length) + 1}
        onKeyDown={onKeyDown}
      >
        <Head columns={columns} />
        <tbody>
          <Spacer height={before} />
          {items.map((item) => {
            const row = rows[item.index]
            return row === undefined ? null : (
              <tr
                key={rowKey(row)}
                id={`${id}-${item.index}`}
                aria-rowindex={item.index + 2}
                className={onOpen === undefined ? undefined : 'open'}
                data-active={item.index === active}
                data-testid={props.testId}
                data-key={rowKey(row)}
                onClick={(event) => {
                  if (!isControl(event.target)) open(item.index)
                }}
              >
                {columns.map((column) => (
                  <td key={column.key} className={cellClass(column)} title={cellTitle(column, row)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
            )
          })}
          <Spacer height={after} />
        </tbody>
        <Foot columns={columns} />
      </table>
      <span className="visually-hidden" role="status">
        {active >= 0 ? t.common.row(f.count(active + 1), f.count(props.totalRows ?? rows.length)) : t.common.loaded(f.count(rows.length))}
      </span>
    </div>
  )
}

/** Stands for the rows that are not in sight. */
function Spacer({ height }: { readonly height: number }) {
  return height > 0 ? <tr style={{ height }} /> : null
}

/** A click on a link or a button in a row is that control's, not the row's. */
function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, label') !== null
}

function Head<Row>({ columns }: { readonly columns: readonly Column<Row>[] }) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        {columns.map((column) => (
          <th key={column.key} scope="col" className={cellClass({ ...column, clip: false })}>
            {column.head}
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Foot<Row>({ columns }: { readonly columns: readonly Column<Row>[] }) {
  if (columns.every((column) => column.total === undefined)) return null
  return (
    <tfoot data-testid="totals">
      <tr>
        {columns.map((column) => (
          <td key={column.key} className={cellClass(column)}>
            {column.total}
          </td>
        ))}
      </tr>
    </tfoot>
  )
}
