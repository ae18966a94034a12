import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'

export const dataSourceUid = 'endeks'
export const dataSourceType = 'grafana-postgresql-datasource'

/** A query of Grafana's PostgreSQL data source, for which the SDK has no builder of its own. */
export interface SqlQuery extends Dataquery {
  readonly refId: string
  readonly datasource: { readonly type: string; readonly uid: string }
  readonly format: 'time_series' | 'table'
  readonly editorMode: 'code'
  readonly rawQuery: true
  readonly rawSql: string
}

export function sqlTarget(refId: string, rawSql: string): Builder<SqlQuery> {
  return {
    build: () => ({
      refId,
      datasource: { type: dataSourceType, uid: dataSourceUid },
      format: 'time_series',
      editorMode: 'code',
      rawQuery: true,
      rawSql,
      _implementsDataqueryVariant: () => undefined
    })
  }
}
