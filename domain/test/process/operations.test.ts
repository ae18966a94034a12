import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createLog } from '../../src/process/index.js'
import { by, type Check, Operations, one } from '../../src/process/operations/index.js'

const lines: string[] = []
const log = createLog('test', (line) => lines.push(line))

async function shown(checks: readonly Check[], stop: () => Promise<void> = async () => undefined) {
  const operations = Operations.of('test', { operationsHost: '127.0.0.1', operationsPort: 0 }, log)
  if (operations === undefined) throw new Error('a port makes a server')
  const running = await operations.show({ stop, ready: { port: 1 } }, checks)
  const get = async (path: string, method = 'GET'): Promise<{ readonly status: number; readonly body: string }> => {
    const response = await fetch(`http://127.0.0.1:${running.ready?.['operationsPort']}${path}`, {
      method,
      headers: { connection: 'close' }
    })
    return { status: response.status, body: await response.text() }
  }
  return { operations, running, get }
}

t.test('without a port nothing listens', (t) => {
  t.equal(Operations.of('test', { operationsHost: '127.0.0.1' }, log), undefined)
  t.end()
})

t.test('a process tells that it lives, what it misses, and its numbers', async (t) => {
  let why: string | undefined
  const failing: Check = {
    name: 'failing',
    dispensable: true,
    missing: async () => {
      throw new Error('postgres://user:secret@host refused')
    }
  }
  const { operations, running, get } = await shown([{ name: 'disk', missing: () => why }, failing])
  t.teardown(running.stop)
  operations.metrics.total({ name: 'endeks_test_total', help: 'x', labels: ['code'] }, () => by('code', { A: 2, B: 3 }))
  operations.metrics.level({ name: 'endeks_test_level', help: 'x' }, async () => one(7))
  operations.metrics.level({ name: 'endeks_test_absent', help: 'x' }, () => Promise.reject(new Error('away')))
  const observe = operations.metrics.durations({ name: 'endeks_test_seconds', help: 'x', labels: ['route'] }, [0.1, 1])
  observe(0.05, { route: '/a' })
  t.match(await get('/health'), { status: 200, body: '{"alive":true}\n' })
  const ready = await get('/ready')
  t.equal(ready.status, 200, 'what is dispensable is only said')
  t.match(JSON.parse(ready.body), {
    ready: true,
    checks: [
      { name: 'disk', ok: true },
      { name: 'failing', ok: false, why: 'it does not answer' }
    ]
  })
  why = 'full'
  t.match(await get('/ready'), { status: 503 })
  for (let scrape = 0; scrape < 2; scrape += 1) {
    const { body } = await get('/metrics')
    t.match(body, /^endeks_test_total\{code="A",service="test"\} 2$/m)
    t.match(body, /^endeks_test_level\{service="test"\} 7$/m)
    t.match(body, /^endeks_test_seconds_bucket\{le="0.1",service="test",route="\/a"\} 1$/m)
    t.match(body, /^process_resident_memory_bytes/m)
    t.notMatch(body, /^endeks_test_absent\{/m)
  }
  t.match((await get('/metrics')).body, /^endeks_metrics_unread_total\{service="test"\} [23]$/m)
  t.match(await get('/elsewhere'), { status: 404 })
  t.match(await get('/ready', 'POST'), { status: 405 })
  t.notMatch(lines.join(''), /secret/)
})

t.test('before it stops it says that it is not ready, for as long as the stop takes', async (t) => {
  let release = (): void => undefined
  const { running, get } = await shown([], () => new Promise<void>((resolve) => (release = resolve)))
  t.match(await get('/ready'), { status: 200 })
  const stopped = running.stop()
  const draining = await get('/ready')
  t.equal(draining.status, 503)
  t.match(JSON.parse(draining.body), { ready: false, draining: true })
  t.match(await get('/health'), { status: 200 })
  release()
  await stopped
  await t.rejects(get('/health'))
})

t.test('a port that is taken stops the process and names the setting', async (t) => {
  const { running } = await shown([])
  t.teardown(running.stop)
  let stopped = false
  const port = Number(running.ready?.['operationsPort'])
  const second = Operations.of('test', { operationsHost: '127.0.0.1', operationsPort: port }, log)
  const stop = async (): Promise<void> => {
    await sleep(0)
    stopped = true
  }
  await t.rejects(async () => second?.show({ stop }, []), { code: 'PORT_TAKEN', message: /ENDEKS_OPERATIONS_PORT/ })
  t.ok(stopped)
})
