import { Button, useComputedColorScheme } from '@mantine/core'
import { lazy, Suspense, useRef, useState } from 'react'
import { useLanguage } from '../../i18n/language.js'
import type { Column } from '../column.js'
import { PlainTable } from '../plain-table.js'
import { LateSkeleton } from '../region.js'
import type { CanvasHandle } from './chart-canvas.js'
import { type ChartData, toCsv } from './dataset.js'
import { save } from './save.js'

/** The drawing library is fetched when the first chart is shown, not before. */
const ChartCanvas = lazy(async () => ({ default: (await import('./chart-canvas.js')).ChartCanvas }))

interface ChartProps {
  readonly data: ChartData
  readonly height?: number
  /** of the printed values: whole numbers, or hundredths for money */
  readonly format: (value: string) => string
}

/** A picture, the sentence that says the same, and the table of the same data. */
export function Chart({ data, height = 220, format }: ChartProps) {
  const { t } = useLanguage()
  const [asTable, setAsTable] = useState(false)
  const scheme = useComputedColorScheme('light')
  const canvas = useRef<CanvasHandle>(null)
  return (
    <figure style={{ margin: 0, minWidth: 0 }} data-testid="chart">
      <figcaption style={{ display: 'flex', flexWrap: 'wrap', gap: '4px 12px', alignItems: 'center', marginBottom: 4 }}>
        <span style={{ fontSize: 13, fontWeight: 600 }}>
          {data.title}, {data.unit}
        </span>
        <span style={{ marginLeft: 'auto', display: 'flex', gap: 4 }} className="actions">
          <Button variant="subtle" size="compact-xs" onClick={() => setAsTable(!asTable)} aria-pressed={asTable}>
            {asTable ? t.common.chart : t.common.table}
          </Button>
          {!asTable && (
            <Button variant="subtle" size="compact-xs" onClick={() => canvas.current?.saveImage(data.title)}>
              PNG
            </Button>
          )}
          <Button variant="subtle" size="compact-xs" onClick={() => saveCsv(data)}>
            CSV
          </Button>
        </span>
      </figcaption>
      {asTable ? (
        <ChartTable data={data} format={format} />
      ) : (
        <Suspense fallback={<LateSkeleton height={height} />}>
          <ChartCanvas key={scheme} data={data} height={height} format={format} handle={canvas} />
        </Suspense>
      )}
      <p className="dim" style={{ fontSize: 12, lineHeight: '16px', margin: '4px 0 0' }}>
        {data.summary}
      </p>
    </figure>
  )
}

interface TableRow {
  readonly category: string
  readonly index: number
}

function ChartTable({ data, format }: Pick<ChartProps, 'data' | 'format'>) {
  const { t } = useLanguage()
  const rows: TableRow[] = data.categories.map((category, index) => ({ category, index }))
  const columns: Column<TableRow>[] = [
    { key: 'category', head: data.categoryName, cell: (row) => row.category },
    ...data.series.map(
      (series): Column<TableRow> => ({
        key: series.name,
        head: `${series.name} ${data.unit}`,
        align: 'right',
        cell: (row) => {
          const value = series.values[row.index]
          const text = value === null || value === undefined ? t.common.notMeasured : format(value)
          return series.estimated?.[row.index] === true ? `T ${text}` : text
        }
      })
    )
  ]
  return <PlainTable label={data.title} columns={columns} rows={rows} rowKey={(row) => row.category} />
}

function saveCsv(data: ChartData) {
  // the byte order mark tells a spreadsheet that the letters are UTF-8
  const url = URL.createObjectURL(new Blob(['\ufeff', toCsv(data)], { type: 'text/csv' }))
  save(url, `${data.title}.csv`)
  URL.revokeObjectURL(url)
}
