import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// Goal: how a service starts and ends. Method: a real process, its exit code and what it wrote.
const program = fileURLToPath(new URL('program.js', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly log: string
}

async function run(kind: string, whenReady: (child: ChildProcess) => void = () => undefined): Promise<Ended> {
  const child = fork(program, [kind], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  child.on('message', (message) => {
    log += `ready ${JSON.stringify(message)}\n`
    whenReady(child)
  })
  // Not 'close': it never comes once the parent has closed the channel.
  const [[code]] = (await Promise.all([once(child, 'exit'), once(child.stderr ?? child, 'end')])) as [[number | null], unknown]
  return { code, log }
}

t.test('a configuration that cannot be used ends with 2, anything else with 1', async (t) => {
  const [misconfigured, broken, bug] = await Promise.all([run('misconfigured'), run('broken'), run('bug')])
  t.equal(misconfigured.code, 2)
  t.match(misconfigured.log, /"start failed".*"CONFIG_INVALID"/)
  t.equal(broken.code, 1)
  t.match(broken.log, /"start failed".*"INTERNAL".*it broke/)
  t.equal(bug.code, 1)
  t.match(bug.log, /"event":"bug".*a bug/)
})

t.test('a service tells its supervisor that it is ready, and stops on a signal', async (t) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const { code, log } = await run('service', (child) => child.kill(signal))
    t.equal(code, 0, signal)
    t.match(log, 'ready {"ready":true,"port":4711}')
    t.match(log, signal)
    t.match(log, '"finished"')
  }
})

t.test('a service whose supervisor is gone stops, and one that cannot stop ends with 1', async (t) => {
  const [orphan, stuck] = await Promise.all([
    run('service', (child) => child.disconnect()),
    run('stops-badly', (child) => child.kill('SIGTERM'))
  ])
  t.equal(orphan.code, 0)
  t.match(orphan.log, 'the supervisor is gone')
  t.equal(stuck.code, 1)
  t.match(stuck.log, 'a file would not close')
})
