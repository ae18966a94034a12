/** What a chart shows and its table twin lists: one set of data, so that the two cannot differ. */
export interface ChartData {
  readonly title: string
  /** of the values */
  readonly unit: string
  /** one sentence that says what the picture says */
  readonly summary: string
  readonly categoryName: string
  readonly categories: readonly string[]
  readonly series: readonly ChartSeries[]
  readonly average?: { readonly name: string; readonly value: string }
}

export interface ChartSeries {
  readonly name: string
  /** decimal text; null is a gap and stays one */
  readonly values: readonly (string | null)[]
  /** a CSS custom property of the theme */
  readonly color: string
  readonly kind: 'bar' | 'ghost'
  /** bars that were not measured are hatched */
  readonly estimated?: readonly boolean[]
}

/** The same data for a spreadsheet: semicolons, since the decimal sign of half of its readers is a comma. */
export function toCsv(data: ChartData): string {
  const quote = (text: string) => (/[";\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const head = [data.categoryName, ...data.series.map((series) => `${series.name} ${data.unit}`)]
  const rows = data.categories.map((category, index) => [category, ...data.series.map((series) => series.values[index] ?? '')])
  return [head, ...rows].map((row) => row.map(quote).join(';')).join('\r\n')
}
