import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { gatewayId } from '@endeks/domain/identifiers'
import { systemClock } from '@endeks/domain/process'
import { type AckMessage, type CommandMessage, parseAckMessage, parseTopic, topicFor } from '@endeks/domain/wire'
import { Aedes } from 'aedes'
import t from 'tap'
import { killPoints } from '../../src/service.js'
import { runGateway } from '../support/run-gateway.js'
import { commandOf } from './commands.js'
import { listen, Units, valveProfile } from './units.js'

// Goal: a valve is told at most once, whenever its gateway dies, and every command is answered in the end. Method: the real
// executable on one directory, killed at one point after the other, each time with a new command for a unit of its own; the broker
// sends, as ingest does, all that is not answered to whoever begins to listen. The points go from the last step of a command to its
// first, so that what a gateway finds from before does not take it past the point at which it is to die. The one at which a command
// waits on disk is the last: a gateway that was to die after it could die in the middle of that command, which is another case.

const cases = [
  { point: 'answer.acknowledged', state: 'done', writes: 1 },
  { point: 'command.answered', state: 'done', writes: 1 },
  { point: 'command.executed', state: 'failed', writes: 1 },
  { point: 'command.started', state: 'failed', writes: 0 },
  { point: 'command.received', state: 'done', writes: 1 },
  { point: 'command.kept', state: 'done', writes: 1 }
] as const

t.test('a gateway killed at every point of a command tells its meter at most once, and answers', async (t) => {
  t.same(
    cases.map(({ point }) => point).toSorted(),
    killPoints.filter((each) => /^(command|answer)\./.test(each)).toSorted(),
    'no point is left out'
  )
  const units = new Units()
  const answers = new Map<string, AckMessage>()
  const commands: CommandMessage[] = []
  const answered = { all: (): void => undefined }
  const aedes = await Aedes.createBroker()
  aedes.authorizePublish = (_, packet, done) => {
    const ack = parseTopic(packet.topic)?.kind === 'ack' ? parseAckMessage(packet.payload.toString()) : undefined
    if (ack?.ok === true && !answers.has(ack.value.id)) answers.set(ack.value.id, ack.value)
    done(null)
    if (answers.size === cases.length) answered.all()
  }
  const topic = topicFor(gatewayId('GW-01'), 'cmd')
  aedes.on('subscribe', () => {
    for (const command of commands.filter(({ id }) => !answers.has(id))) {
      aedes.publish({ cmd: 'publish', topic, payload: JSON.stringify(command), qos: 1, dup: false, retain: false }, () => undefined)
    }
  })
  const broker = createServer(aedes.handle)
  const [port, brokerPort] = [await listen(units.server), await listen(broker)]
  t.teardown(async () => {
    units.server.close()
    broker.close()
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  })
  const directory = t.testdir({ profiles: { 'p.json': JSON.stringify(valveProfile) } })
  const path = join(directory, 'site.json')
  const meters = cases.map((_, index) => ({ address: `${index + 1}`, profile: valveProfile.name, schedule: 'daily' }))
  writeFileSync(
    path,
    JSON.stringify({
      gateway: 'GW-01',
      zone: 'Europe/Istanbul',
      mqtt: { url: `mqtt://127.0.0.1:${brokerPort}` },
      schedules: { daily: { everyMs: 86_400_000 } },
      buses: [{ name: 'loggers', protocol: 'modbus', host: '127.0.0.1', port, answerWithinMs: 5_000, meters }],
      profileDirectory: 'profiles',
      uplink: { reconnect: { firstWithinMs: 1, withinMs: 1 } }
    })
  )
  const environment = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: 'p' }
  for (const [index, { point }] of cases.entries()) {
    commands.push(commandOf('valve', index + 1, systemClock.now(), { address: `${index + 1}` }))
    const { signal } = await runGateway({ arguments: ['run', path], environment: { ...environment, ENDEKS_KILL_AT: point } })
    t.equal(signal, 'SIGKILL', point)
  }
  const all = new Promise<void>((resolve) => {
    answered.all = resolve
  })
  const stop = new AbortController()
  const living = runGateway({ arguments: ['run', path], environment, signal: stop.signal })
  await all
  stop.abort()
  t.equal((await living).code, 0)
  for (const [index, { point, state, writes }] of cases.entries()) {
    const answer = answers.get(commands[index]?.id ?? '')
    t.match(answer, { state, ...(state === 'failed' ? { code: 'COMMAND_INTERRUPTED' } : { result: { valve: 'closed' } }) }, point)
    t.equal(units.writes.filter(({ unit }) => unit === index + 1).length, writes, `${point}: how often the meter was told`)
  }
})
