import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadEnvironment } from '../src/config/environment.js'
import { mbusCodec } from '../src/protocols/mbus/codec/index.js'
import { decodeLine, longestLine } from '../src/verbs/decode.js'
import { linesOf } from '../src/verbs/lines.js'
import { runGateway as gateway } from './support/run-gateway.js'

const request = '000100000006110300000006'

t.test('decode --lines answers every line, whatever stands in it', async (t) => {
  const lines = [
    JSON.stringify({ hex: request }),
    'no JSON',
    JSON.stringify({ hex: 5 }),
    JSON.stringify({ hex: '00 01:00zz' }),
    JSON.stringify({ hex: request, key: 'xyz' }),
    '',
    'x'.repeat(longestLine + 10),
    JSON.stringify({ hex: '0001' })
  ]
  const { code, out } = await gateway({ arguments: ['decode', '--protocol', 'modbus', '--lines'], input: lines.join('\n') })
  t.equal(code, 0)
  const answers = out
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { ok: boolean; code?: string; offset?: number })
  t.match(answers[0], { ok: true, protocol: 'modbus', kind: 'request', unit: 17, address: 0, count: 6 })
  t.same(
    answers.slice(1).map((answer) => answer.code),
    ['LINE_MALFORMED', 'LINE_MALFORMED', 'HEX_MALFORMED', 'KEY_MALFORMED', 'LINE_MALFORMED', 'LINE_TOO_LONG', 'MODBUS_TRUNCATED']
  )
})

t.test('a line that is no JSON is refused without its text: a key may stand in it', (t) => {
  const key = '00112233445566778899aabbccddeeff'
  for (const line of [`{"hex":"00","key":'${key}'}`, `{"key":z${key}}`, `{"key":"${key}`, key, `x{"key":"${key}"}`]) {
    const answer = decodeLine(mbusCodec, line)
    t.match(answer, /LINE_MALFORMED/)
    t.notMatch(answer, /0011/, line)
  }
  t.end()
})

t.test('decode of one frame from standard input ends with 1 when there is no value', async (t) => {
  const wrong = await gateway({ arguments: ['decode', '--protocol', 'modbus'], input: `${request.slice(0, 4)}\n` })
  t.equal(wrong.code, 1)
  t.match(JSON.parse(wrong.out), { ok: false, code: 'MODBUS_TRUNCATED', offset: 0 })
})

t.test('wrong use and a wrong site file end with 2 and every problem, and nothing is started', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'site.json')
  writeFileSync(path, JSON.stringify({ gateway: '', zone: 1, mqtt: {}, schedules: {}, buses: [] }))
  const environment = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: 'secret word' }
  const wrong = await gateway({ arguments: ['run', path], environment })
  t.equal(wrong.code, 2)
  for (const problem of ['/gateway', '/zone', '/mqtt', '/buses']) t.ok(wrong.err.includes(problem), problem)
  t.notOk(existsSync(environment.ENDEKS_SPOOL))
  const wrongUse = await gateway({ arguments: ['decode', '--protocol', 'morse'] })
  t.equal(wrongUse.code, 2)
  t.match(wrongUse.err, /mbus/)
})

t.test('--check-config prints what would run, the password masked', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'site.json')
  const meters = [{ address: '5', profile: 'generic-modbus-water', historySince: '2025-10-01' }]
  const buses = [{ name: 'b', protocol: 'modbus', host: '127.0.0.1', port: 502, meters }]
  writeFileSync(path, JSON.stringify({ gateway: 'G', zone: 'Europe/Istanbul', mqtt: { url: 'mqtt://127.0.0.1' }, schedules: {}, buses }))
  const environment = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: 'secret word' }
  const good = await gateway({ arguments: ['run', path, '--check-config'], environment })
  t.equal(good.code, 0)
  t.match(JSON.parse(good.out), { gateway: 'G', buses: [{ protocol: 'modbus', options: { host: '127.0.0.1' } }] })
  t.notOk(good.out.includes('secret word'))
  t.match(JSON.parse(good.out), { buses: [{ meters: [{ profile: 'generic-modbus-water', historySince: '2025-09-30T21:00:00.000Z' }] }] })
  writeFileSync(path, readFileSync(path, 'utf8').replace('"5"', '"300"'))
  const bad = await gateway({ arguments: ['run', path, '--check-config'], environment: {} })
  t.equal(bad.code, 2)
  t.match(bad.err, /ENDEKS_SPOOL: is missing[\s\S]*\/buses\/0\/meters\/0\/address: "300" is no modbus address, which is a unit/)
  t.throws(() => loadEnvironment({ ENDEKS_SPOOL: '', ENDEKS_MQTT_PASSWORD: '' }), { code: 'CONFIG_INVALID' })
})

t.test('lines are cut where they end, whatever the chunks, and never held beyond their bound', async (t) => {
  async function* chunks(): AsyncGenerator<string> {
    yield 'on'
    yield 'e\ntwo\nfar too'
    yield ' long'
    yield ' indeed\nthr'
    yield 'ee\n\nalso too long\nla'
    yield 'st'
  }
  const lines: (string | undefined)[] = []
  for await (const line of linesOf(chunks(), 6)) lines.push(line)
  t.same(lines, ['one', 'two', undefined, 'three', '', undefined, 'last'])
})
