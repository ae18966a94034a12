/** What Grafana's PostgreSQL data source makes of its macros and of a variable with several values. */
export interface Expansion {
  readonly from: string
  readonly to: string
  readonly variables: Readonly<Record<string, readonly string[]>>
}

export function expandMacros(sql: string, { from, to, variables }: Expansion): string {
  let expanded = sql
    .replace(/\$__timeFilter\(([^)]+)\)/g, `$1 BETWEEN '${from}' AND '${to}'`)
    .replace(/\$__timeFrom\(\)/g, `'${from}'`)
    .replace(/\$__timeTo\(\)/g, `'${to}'`)
  for (const [name, values] of Object.entries(variables)) {
    const list = values.map((value) => `'${value.replaceAll("'", "''")}'`).join(',')
    expanded = expanded.replaceAll(`\${${name}}`, list).replaceAll(`$${name}`, list)
  }
  const left = /\$[a-zA-Z_{][\w}]*/.exec(expanded)
  if (left !== null) throw new Error(`nothing expands ${left[0]}`)
  return expanded
}

/** Every rawSql in a dashboard, wherever it stands. */
export function rawSqlOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(rawSqlOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => (key === 'rawSql' && typeof inner === 'string' ? [inner] : rawSqlOf(inner)))
}
