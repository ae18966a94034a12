import { GraphDrawStyle, StackingConfigBuilder, StackingMode, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common'
import { type Dashboard, DashboardBuilder, QueryVariableBuilder, VariableRefresh } from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { dataSourceType, dataSourceUid, sqlTarget } from './sql-target.js'

/** More series than this are a wall of colour: the largest consumers of the shown range are drawn. */
const mostMeters = 12

/**
 * Consumption by day and meter. Amounts are stored in thousandths of litre, watt-hour or joule and shown in m³, kWh or MJ; a
 * chart may divide, a bill never does. A meter counts where it stood last on that day, so that a day of moving is not counted twice.
 */
export const dailyConsumptionSql = `WITH daily AS (
  SELECT consumption.day, meter.serial, point.commodity,
    consumption.amount_milli / CASE consumption.unit WHEN 'J' THEN 1e9 ELSE 1e6 END AS amount
  FROM metering.daily_consumption AS consumption
  JOIN account.register AS register ON register.id = consumption.register_id
  JOIN account.meter AS meter ON meter.id = register.meter_id
  CROSS JOIN LATERAL (
    SELECT installation.service_point_id FROM account.installation AS installation
    WHERE installation.meter_id = meter.id AND installation.superseded_at IS NULL
      AND installation.valid_from < consumption.day + 1
      AND (installation.valid_to IS NULL OR installation.valid_to > consumption.day)
    ORDER BY installation.valid_from DESC LIMIT 1
  ) AS place
  JOIN account.service_point AS point ON point.id = place.service_point_id
  WHERE $__timeFilter(consumption.day) AND point.commodity IN ($commodity)
), largest AS (
  SELECT serial, commodity FROM daily GROUP BY serial, commodity ORDER BY sum(amount) DESC, serial LIMIT ${mostMeters}
)
SELECT daily.day::timestamp AS "time", daily.serial || ' ' || daily.commodity AS metric, sum(daily.amount)::double precision AS value
FROM daily JOIN largest USING (serial, commodity)
GROUP BY 1, 2
ORDER BY 1, 2`

export const commoditySql = 'SELECT DISTINCT commodity FROM account.service_point ORDER BY commodity'

const dataSource = { type: dataSourceType, uid: dataSourceUid }

export function consumptionDashboard(): Dashboard {
  const commodity = new QueryVariableBuilder('commodity')
    .label('Emtia / Commodity')
    .datasource(dataSource)
    .query(commoditySql)
    .refresh(VariableRefresh.OnDashboardLoad)
    .multi(true)
    .includeAll(true)
    .current({ selected: true, text: 'All', value: '$__all' })
  const panel = new PanelBuilder()
    .title('Günlük tüketim / Daily consumption')
    .description(`m³, kWh, MJ. ${mostMeters} sayaç / meters`)
    .datasource(dataSource)
    .withTarget(sqlTarget('A', dailyConsumptionSql))
    .drawStyle(GraphDrawStyle.Bars)
    .fillOpacity(80)
    .lineWidth(0)
    .min(0)
    .spanNulls(false)
    .stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'))
    .legend(new VizLegendOptionsBuilder().showLegend(true).calcs(['sum']))
    .height(16)
    .span(24)
  return new DashboardBuilder('Tüketim / Consumption')
    .uid('endeks-consumption')
    .tags(['endeks'])
    .timezone('browser')
    .time({ from: 'now-31d', to: 'now' })
    .readonly()
    .withVariable(commodity)
    .withPanel(panel)
    .build()
}
