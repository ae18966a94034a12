import type { EChartsCoreOption } from 'echarts/core'
import type { ChartData, ChartSeries } from './dataset.js'

/** A position on paper may be a binary fraction; what is written beside it is the exact text. */
function position(value: string | null): number | null {
  return value === null ? null : Number(value)
}

export interface Drawing {
  /** of a value that is written out */
  readonly format: (value: string) => string
  /** of the axis, whose steps are whole */
  readonly formatAxis: (value: string) => string
  /** a custom property of the theme */
  readonly color: (name: string) => string
}

export function chartOption(data: ChartData, { format, formatAxis, color }: Drawing): EChartsCoreOption {
  const text = color('--mantine-color-dimmed')
  const hairline = color('--mantine-color-default-border')
  return {
    animation: false,
    textStyle: { fontFamily: 'IBM Plex Sans' },
    aria: { enabled: true, label: { description: `${data.title}. ${data.summary}` } },
    grid: { left: 4, right: data.average === undefined ? 8 : 68, top: data.series.length > 1 ? 28 : 20, bottom: 0, containLabel: true },
    legend: { show: data.series.length > 1, top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: text, fontSize: 12 } },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow' },
      backgroundColor: color('--mantine-color-body'),
      borderColor: hairline,
      textStyle: { color: color('--mantine-color-text'), fontSize: 13 },
      formatter: (params: unknown) => tooltip(data, format, indexOf(params))
    },
    xAxis: {
      type: 'category',
      data: [...data.categories],
      axisTick: { show: false },
      axisLine: { lineStyle: { color: color('--endeks-border') } },
      axisLabel: { color: text, fontSize: 11, hideOverlap: true }
    },
    yAxis: {
      type: 'value',
      min: 0,
      splitNumber: 3,
      minInterval: 1,
      axisLabel: { color: text, fontSize: 11, formatter: (value: number) => formatAxis(String(value)) },
      splitLine: { lineStyle: { color: hairline } }
    },
    series: data.series.map((series) => drawSeries(series, data, format, color))
  }
}

function drawSeries(series: ChartSeries, data: ChartData, format: (value: string) => string, color: (name: string) => string) {
  const fill = color(series.color)
  const labelled = data.series.length === 1 || series.kind === 'bar' ? labelledIndexes(series.values) : new Set<number>()
  const many = data.series.filter((each) => each.kind === 'bar').length > 1
  return {
    type: 'bar',
    name: series.name,
    barGap: series.kind === 'ghost' ? '-100%' : many ? '10%' : '-100%',
    barMaxWidth: 36,
    z: series.kind === 'ghost' ? 1 : 2,
    itemStyle:
      series.kind === 'ghost'
        ? { color: 'transparent', borderColor: color('--endeks-border'), borderWidth: 1, borderType: 'dashed' }
        : { color: fill },
    label: {
      show: !many && series.kind === 'bar',
      position: 'top',
      fontSize: 11,
      color: color('--mantine-color-text'),
      formatter: (point: { dataIndex: number }) => {
        const value = series.values[point.dataIndex]
        return labelled.has(point.dataIndex) && value !== null && value !== undefined ? format(value) : ''
      }
    },
    ...(data.average === undefined || series.kind === 'ghost' ? {} : { markLine: averageLine(data.average, format, color) }),
    data: series.values.map((value, index) =>
      series.estimated?.[index] === true ? { value: position(value), itemStyle: hatched(color('--endeks-estimated')) } : position(value)
    )
  }
}

/** Violet and hatched: not measured. */
function hatched(fill: string) {
  return {
    color: fill,
    decal: { symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4, color: 'rgba(255,255,255,0.7)' }
  }
}

function averageLine(
  average: { readonly name: string; readonly value: string },
  format: (value: string) => string,
  color: (name: string) => string
) {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: { color: color('--mantine-color-dimmed'), type: 'dotted', width: 1 },
    z: 5,
    label: {
      position: 'end',
      formatter: `${average.name}\n${format(average.value)}`,
      color: color('--mantine-color-dimmed'),
      fontSize: 11
    },
    data: [{ yAxis: Number(average.value) }]
  }
}

/** Labels on the first, the last and the highest bar; more would be a table, and there is one. */
export function labelledIndexes(values: readonly (string | null)[]): Set<number> {
  const present = values.flatMap((value, index) => (value === null ? [] : [{ index, value: Number(value) }]))
  const highest = present.reduce<(typeof present)[number] | undefined>(
    (best, each) => (best === undefined || each.value > best.value ? each : best),
    undefined
  )
  return new Set([present[0]?.index, present.at(-1)?.index, highest?.index].filter((index) => index !== undefined))
}

function indexOf(params: unknown): number {
  const first: unknown = Array.isArray(params) ? params[0] : params
  return typeof first === 'object' && first !== null && 'dataIndex' in first && typeof first.dataIndex === 'number' ? first.dataIndex : -1
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

function tooltip(data: ChartData, format: (value: string) => string, index: number): string {
  const rows = data.series.flatMap((series) => {
    const value = series.values[index]
    if (value === null || value === undefined) return []
    const estimated = series.estimated?.[index] === true ? 'T ' : ''
    return [`${escapeHtml(series.name)}: <b>${estimated}${escapeHtml(format(value))}</b> ${escapeHtml(data.unit)}`]
  })
  return [`<b>${escapeHtml(data.categories[index] ?? '')}</b>`, ...rows].join('<br>')
}
