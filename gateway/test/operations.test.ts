import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'

const main = new URL('../src/main.js', import.meta.url)
const secret = 'a word that nobody else may know'

/** A port at which nobody is: it was given out and is free again. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

t.test('a gateway without its broker is ready, as what it reads is kept, and says what waits', async (t) => {
  const directory = t.testdir()
  const path = join(directory, 'site.json')
  const nobody = await freePort()
  const meters = [{ address: '5', profile: 'generic-modbus-water', schedule: 'live' }]
  const buses = [{ name: 'b', protocol: 'modbus', host: '127.0.0.1', port: nobody, meters }]
  const schedules = { live: { everyMs: 86_400_000 } }
  const mqtt = { url: `mqtt://127.0.0.1:${nobody}` }
  writeFileSync(path, JSON.stringify({ gateway: 'G', zone: 'Europe/Istanbul', mqtt, schedules, buses }))
  const settings = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: secret, ENDEKS_OPERATIONS_PORT: '0' }
  const child = fork(main, ['run', path], { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const [{ operationsPort }] = await once(child, 'message')
  const get = async (what: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${operationsPort}/${what}`, { headers: { connection: 'close' } })
  const ready = await get('ready')
  t.equal(ready.status, 200)
  t.match(await ready.json(), {
    checks: [
      { name: 'spool', ok: true },
      { name: 'uplink', ok: false, dispensable: true }
    ]
  })
  const metrics = await (await get('metrics')).text()
  for (const name of ['spool_messages', 'spool_bytes', 'uplink_connected', 'reads_total', 'losses_unannounced']) {
    t.match(metrics, new RegExp(`^endeks_gateway_${name}\\{service="gateway"\\} 0$`, 'm'))
  }
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  t.same(await exited, [0, null])
  t.notOk(log.includes(secret))
})
