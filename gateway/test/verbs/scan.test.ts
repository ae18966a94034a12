import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { scan } from '../../src/verbs/scan.js'
import { PeerBus, peer } from '../protocols/mbus/bus-peer.js'
import { clock } from '../support/clock.js'
import { runGateway } from '../support/run-gateway.js'
import { hear } from '../support/verb-tools.js'

const values = (port: number) => ({ protocol: 'mbus', host: '127.0.0.1', port: `${port}`, 'answer-within': '2000', json: true })

t.test('each find is printed as it comes, and calling it off ends it with what was found', async (t) => {
  const bus = new PeerBus([
    { address: 0, id: '12345678' },
    { address: 1, id: '12345679' }
  ])
  const { port } = await peer(t, (request) => bus.answer(request))
  const directory = t.testdir()
  const site = join(directory, 'site.json')
  const buses = [{ name: 'risers', protocol: 'mbus', host: '127.0.0.1', port, answerWithinMs: 2_000, meters: [] }]
  writeFileSync(site, JSON.stringify({ gateway: 'G', zone: 'UTC', mqtt: { url: 'mqtt://127.0.0.1' }, schedules: {}, buses }))
  const called = new AbortController()
  const heard = await hear({ signal: called.signal, clock: clock(1_000) }, (tools) =>
    scan(
      [site, 'risers'],
      { json: true },
      {
        ...tools,
        print: (line) => {
          tools.print(line)
          if (line.includes('12345679')) called.abort()
        }
      }
    )
  )
  t.equal(heard.code, 0)
  t.match(
    heard.out.split('\n').map((line) => JSON.parse(line)),
    [
      { address: '0', identity: { id: '12345678' } },
      { address: '1', identity: { id: '12345679' } }
    ]
  )
  t.match(heard.err, /\d+ of \d+ tried[\s\S]*2 found on bus risers until it was called off$/)
})

t.test('a line that is down is a coded failure', async (t) => {
  const heard = await hear({}, (tools) => scan([], values(1), tools))
  t.match(heard, { code: 1, err: /^nothing found/ })
  t.match(JSON.parse(heard.out), { ok: false, code: 'BUS_UNREACHABLE' })
  t.match(await hear({}, (tools) => scan(['site.json'], {}, tools)), { code: 'CONFIG_INVALID' })
})

t.test('Ctrl-C ends the executable at once, and not as a failure when something was found', async (t) => {
  const bus = new PeerBus([{ address: 0, id: '12345678' }])
  const { port } = await peer(t, (request) => bus.answer(request))
  const args = ['scan', '--protocol', 'mbus', '--host', '127.0.0.1', '--port', `${port}`]
  const ended = await runGateway({
    arguments: args,
    watch: (out, kill) => {
      if (out.includes('\n')) kill('SIGINT')
    }
  })
  t.match(ended, { code: 0, signal: null, out: /^0: KAM 12345678, version 27, cold-water\n$/, err: /1 found .* called off\n$/ })
})
