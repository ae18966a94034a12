import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { testDatabase } from '@endeks/database/testing'
import t from 'tap'
import { killPoints } from '../../src/kill-points.js'
import { enterMeter, enterUtility } from '../support/site.js'
import { ask, HearingGateway, stateOf } from '../support/told.js'

// Goal: a command is neither lost nor forgotten when the process that sends it dies around the sending. Method: the real program
// kills itself there; the one that follows sends it again under the same key.

const main = new URL('../../src/main.js', import.meta.url)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1'])
const { meterId } = await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '00012345' })

async function startProcess(killAt?: string): Promise<{ child: ChildProcess; port: number; exited: Promise<unknown[]> }> {
  const settings = {
    ENDEKS_DATABASE_URL: database.adminUrl,
    ENDEKS_MQTT_PORT: '0',
    ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt })
  }
  const child = fork(main, ['run'], { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const [message] = await once(child, 'message')
  return { child, port: Number(message.port), exited }
}

for (const name of killPoints.filter((each) => each.startsWith('downlink:'))) {
  t.test(`killed at ${name}, the command is sent again and answered once`, async (t) => {
    const doomed = await startProcess(name)
    const first = await HearingGateway.connect(doomed.port, 'gw-1')
    first.client.on('error', () => undefined)
    const asked = await ask(pool, { meterId: meterId.toString(), kind: 'read-now' })
    const [, signal] = await doomed.exited
    t.equal(signal, 'SIGKILL')
    await first.leave()
    t.equal(first.heard.length, name === 'downlink:claimed' ? 0 : 1)
    t.match(await stateOf(pool, asked), { state: 'queued', attempts: 1 })
    const living = await startProcess()
    const second = await HearingGateway.connect(living.port, 'gw-1')
    const { id } = await second.hear(1)
    t.equal(id, (await stateOf(pool, asked)).key)
    await second.answer(id)
    t.match(await stateOf(pool, asked), { state: 'done', attempts: 2 })
    await second.leave()
    living.child.kill('SIGTERM')
    await living.exited
  })
}
