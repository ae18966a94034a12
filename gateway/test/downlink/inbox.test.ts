import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createLog } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import { type AckMessage, parseAckMessage } from '@endeks/domain/wire'
import t from 'tap'
import { Inbox } from '../../src/downlink/inbox.js'
import type { KeptCommand } from '../../src/downlink/kept-command.js'
import { commandOf } from './commands.js'

const log = createLog('test', () => undefined)
const now = epochMs(1_800_000_000_000)

async function opened(directory: string, options: { readonly most?: number; readonly aheadMs?: number } = {}): Promise<Inbox> {
  const { most, aheadMs = 0 } = options
  const clock = { now: () => epochMs(now + aheadMs) }
  const inbox = await Inbox.open({ directory, clock, log, ...(most === undefined ? {} : { most }) })
  if (inbox === undefined) throw new Error('the inbox does not open')
  return inbox
}

function bytesOf(command: object): Uint8Array {
  return Buffer.from(JSON.stringify(command))
}

function answerOf(inbox: Inbox): AckMessage | undefined {
  const text = inbox.nextAnswer()?.text
  const parsed = text === undefined ? undefined : parseAckMessage(text)
  return parsed?.ok === true ? parsed.value : undefined
}

/** What an inbox hands over. */
function takenFrom(inbox: Inbox): KeptCommand[] {
  const taken: KeptCommand[] = []
  inbox.deliverTo((command) => taken.push(command))
  return taken
}

t.test('a command is handed over once however often it comes, and its answer said until it is acknowledged', async (t) => {
  const inbox = await opened(t.testdir())
  const taken = takenFrom(inbox)
  const command = commandOf('valve', 1, now)
  await Promise.all([inbox.receive(bytesOf(command)), inbox.receive(bytesOf(command))])
  t.equal(taken.length, 1)
  const [kept] = taken
  if (kept === undefined) return t.fail('nothing was handed over')
  let told = 0
  inbox.onAnswer(() => (told += 1))
  await inbox.start(kept)
  await inbox.finish(kept, { state: 'done', result: { valve: 'closed' } })
  const answer = inbox.nextAnswer()
  t.match(answerOf(inbox), { id: command.id, state: 'done', result: { valve: 'closed' }, at: now })
  if (answer !== undefined) await inbox.acknowledged(answer)
  t.equal(inbox.nextAnswer(), undefined)
  await inbox.receive(bytesOf(command))
  t.equal(taken.length, 1, 'it is not done again')
  t.equal(answerOf(inbox)?.state, 'done', 'and answered again')
  t.equal(told, 2)
  await inbox.close()
})

t.test('after a restart what waits is handed over in its order; of what had begun, only what may be repeated', async (t) => {
  const directory = t.testdir()
  const before = await opened(directory)
  const begun = takenFrom(before)
  const commands = (['read-now', 'set-clock', 'valve', 'credit', 'valve'] as const).map((kind, index) => commandOf(kind, index + 1, now))
  for (const command of commands) await before.receive(bytesOf(command))
  for (const command of begun.slice(0, 4)) await before.start(command)
  await before.close()
  const after = await opened(directory)
  const taken = takenFrom(after)
  t.same(
    taken.map(({ message }) => message.id),
    [commands[0]?.id, commands[1]?.id, commands[4]?.id]
  )
  for (const interrupted of commands.slice(2, 4)) {
    const answer = after.nextAnswer()
    t.match(answerOf(after), { id: interrupted.id, state: 'failed', code: 'COMMAND_INTERRUPTED' })
    if (answer !== undefined) await after.acknowledged(answer)
  }
  t.equal(after.nextAnswer(), undefined)
  await after.close()
})

t.test('it ends by the earlier of two clocks', async (t) => {
  const expiry = async (aheadMs: number): Promise<number> => {
    const inbox = await opened(t.testdir(), { aheadMs })
    const taken = takenFrom(inbox)
    await inbox.receive(bytesOf(commandOf('valve', 1, now)))
    await inbox.close()
    t.equal(taken[0]?.clockAheadMs, aheadMs)
    return (taken[0]?.expiresAt ?? 0) - (now + aheadMs)
  }
  t.equal(await expiry(0), 600_000)
  t.equal(await expiry(-3_600_000), 600_000, 'a clock that is behind does not begin too late')
  t.equal(await expiry(3_600_000), -3_000_000, 'one that is ahead gives up')
})

t.test('what can not be taken is refused by its id, and the rest is only logged', async (t) => {
  const inbox = await opened(t.testdir(), { most: 2 })
  const taken = takenFrom(inbox)
  const command = commandOf('read-now', 1, now)
  const refusal = async (payload: Uint8Array): Promise<AckMessage | undefined> => {
    await inbox.receive(payload)
    const [answer, read] = [inbox.nextAnswer(), answerOf(inbox)]
    if (answer !== undefined) await inbox.acknowledged(answer)
    return read
  }
  t.match(await refusal(bytesOf({ ...command, kind: 'explode' })), { id: command.id, state: 'rejected', code: 'MESSAGE_MALFORMED' })
  t.equal(await refusal(Buffer.from('garbage')), undefined)
  t.equal(await refusal(Buffer.from([0xff, 0x00, 0x80])), undefined)
  t.equal(await refusal(bytesOf({ id: 'x'.repeat(36) })), undefined)
  t.equal(await refusal(Buffer.alloc(70_000, '{')), undefined)
  t.equal(taken.length, 0)
  for (const n of [1, 2]) await inbox.receive(bytesOf(commandOf('read-now', n, now)))
  t.match(await refusal(bytesOf(commandOf('read-now', 3, now))), { state: 'rejected', code: 'COMMAND_TOO_MANY' })
  t.equal(taken.length, 2)
  await inbox.close()
})

t.test('a directory that is in use is told so; one that can not be read takes no commands and no gateway down', async (t) => {
  const directory = t.testdir()
  const inbox = await opened(directory)
  const again = (): Promise<Inbox | undefined> => Inbox.open({ directory, clock: { now: () => now }, log })
  await t.rejects(again(), { code: 'DATA_DIRECTORY_IN_USE' })
  await inbox.close()
  writeFileSync(join(directory, 'CURRENT'), 'MANIFEST-999999\n')
  t.equal(await again(), undefined)
})
