import t from 'tap'
import { type ChartData, toCsv } from '../../staff/src/components/chart/dataset.js'
import { chartOption, labelledIndexes } from '../../staff/src/components/chart/option.js'

const data: ChartData = {
  title: 'Tüketim',
  unit: 'm³',
  summary: 'Toplam 3 m³.',
  categoryName: 'Ay',
  categories: ['Oca "26"', 'Şub 26', 'Mar 26'],
  series: [
    { name: 'Tüketim', values: ['1.000', null, '2.000'], estimated: [false, false, true], color: '--water', kind: 'bar' },
    { name: 'Geçen yıl', values: [null, '1.500', '1.000'], color: '--border', kind: 'ghost' }
  ]
}

t.test('the table twin for a spreadsheet holds the same data', (t) => {
  t.equal(toCsv(data), 'Ay;Tüketim m³;Geçen yıl m³\r\n"Oca ""26""";1.000;\r\nŞub 26;;1.500\r\nMar 26;2.000;1.000')
  t.end()
})

t.test('bars start at zero, a gap is no bar, and what was not measured is hatched', (t) => {
  const option = JSON.parse(
    JSON.stringify(chartOption(data, { format: (text) => text, formatAxis: (text) => text, color: (name) => name }))
  )
  t.equal(option.yAxis.min, 0)
  t.equal(option.aria.enabled, true)
  t.equal(option.series[0].data[0], 1)
  t.equal(option.series[0].data[1], null)
  t.equal(option.series[0].data[2].value, 2)
  t.equal(option.series[0].data[2].itemStyle.decal.symbol, 'rect')
  t.equal(option.series[1].itemStyle.color, 'transparent')
  t.end()
})

t.test('labels stand on the first, the last and the highest bar', (t) => {
  t.same([...labelledIndexes([null, '2', '9', '3', null])].sort(), [1, 2, 3])
  t.same([...labelledIndexes([null])], [])
  t.end()
})
