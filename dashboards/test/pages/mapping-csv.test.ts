import t from 'tap'
import { devicesOf, devicesToCsv, keysOf, keysToCsv, placeOf } from '../../staff/src/pages/gateway/mapping-csv.js'

const volume = { device: null, key: 'volume', obis: '8-0:1.0.0*255', unit: 'm3', scaler: -3 }

t.test('a mapping is read again from the text that it is shown as', (t) => {
  const keys = [volume, { device: 'Flat; 3', key: 'say "total", now', obis: null, unit: null, scaler: null }]
  t.same(keysOf(keysToCsv(keys)), { rows: keys, lines: [2, 3], problems: [] })
  const devices = [{ device: 'Kazan, 2', serial: '00012345' }]
  t.same(devicesOf(devicesToCsv(devices)).rows, devices)
  t.end()
})

t.test('lines come from a spreadsheet, with semicolons or commas, with or without a line of names', (t) => {
  for (const text of [
    'Device\tKey\tOBIS\tUnit\tScaler\r\n\tvolume\t8-0:1.0.0*255\tm3\t-3\r\n',
    ';volume;8-0:1.0.0*255;m3;-3',
    '\n , volume, 8-0:1.0.0*255 ,m3,-3\n\n'
  ])
    t.same(keysOf(text).rows, [volume], JSON.stringify(text))
  t.same(keysOf(';battery').rows, [{ device: null, key: 'battery', obis: null, unit: null, scaler: null }])
  t.same(keysOf('').rows, [])
  t.end()
})

t.test('what is wrong is placed by its line', (t) => {
  const read = keysOf('device;key\n\n;a;8-0:1.0.0*255;m3;-3,5\n;b;;;;more')
  t.same(read.problems, [
    { path: '/keys/0/scaler', message: '-3,5' },
    { path: '/keys/1/', message: ';b;;;;more' }
  ])
  t.same(placeOf('/keys/1/obis', { keys: read.lines, devices: [] }), { list: 'keys', line: 4, field: 'obis' })
  t.equal(placeOf('/format', { keys: [], devices: [] }), undefined)
  t.end()
})
