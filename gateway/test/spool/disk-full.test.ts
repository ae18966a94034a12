import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createLog } from '@endeks/domain/process'
import t, { type Test } from 'tap'
import { Spool } from '../../src/spool/spool.js'
import { readout } from './readouts.js'

interface Line {
  readonly appended?: number
  readonly room?: boolean
  readonly state?: { readonly messages: number }
  readonly code?: string
  readonly event?: string
}

/** A process with a spool, of which no file may grow beyond a limit that is set from here: for its writes the disk is full then. */
class Limited {
  readonly lines: Line[] = []
  readonly #child: ReturnType<typeof spawn>
  readonly #arrived: AsyncIterator<string>

  constructor(directory: string, killAt = '') {
    const program = fileURLToPath(new URL('./limited.js', import.meta.url))
    this.#child = spawn(process.execPath, [program, directory, killAt], { stdio: ['pipe', 'pipe', 'inherit'] })
    if (this.#child.stdout === null) throw new Error('no output')
    this.#arrived = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async limit(bytes: string): Promise<void> {
    // The soft limit alone, or nobody could take it back.
    await promisify(execFile)('prlimit', [`--pid=${this.#child.pid}`, `--fsize=${bytes}:unlimited`])
  }

  say(word: string): void {
    this.#child.stdin?.write(`${word}\n`)
  }

  async until(condition: (line: Line) => boolean): Promise<void> {
    for (;;) {
      const next = await this.#arrived.next()
      if (next.done === true) throw new Error(`it ended before that: ${JSON.stringify(this.lines)}`)
      const line = JSON.parse(next.value) as Line
      this.lines.push(line)
      if (condition(line)) return
    }
  }

  /** @returns the signal that ended it */
  async end(): Promise<string | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin?.end()
      await once(this.#child, 'exit')
    }
    return this.#child.signalCode
  }
}

async function kept(t: Test, directory: string): Promise<string[]> {
  const spool = await Spool.open({ directory, maxBytes: 64 * 1_048_576, log: createLog('test', () => {}) })
  t.teardown(() => spool.close())
  const messages = await spool.range('live', { first: 1, last: Number.MAX_SAFE_INTEGER, limit: 10_000 })
  return messages.map(({ text }) => (JSON.parse(text) as { exchanges: { address: string }[] }).exchanges[0]?.address ?? '')
}

t.test('a full disk stops the appending with a word, nothing that was answered for is lost, and it goes on by itself', async (t) => {
  const directory = t.testdir()
  const process = new Limited(directory)
  await process.until(({ room }) => room === true)
  process.say('append')
  await process.until(({ appended }) => (appended ?? 0) >= 20)
  // A file may not even grow by the next message; whatever is opened anew may hold as much as stands in the log now.
  await process.limit('40000')
  await process.until(({ code }) => code === 'SPOOL_DISK_FULL')
  process.say('trim')
  await process.until(({ state }) => state !== undefined)
  await process.until(({ event }) => event === 'disk still full')
  await process.limit('unlimited')
  await process.until(({ event }) => event === 'disk has room again')
  const before = process.lines.filter(({ appended }) => appended !== undefined).length
  await process.until(({ appended }) => (appended ?? 0) >= before + 20)
  process.say('stop')
  await process.end()
  const answered = process.lines.flatMap(({ appended }) => (appended === undefined ? [] : [String(appended)]))
  const there = new Set(await kept(t, directory))
  t.same(
    answered.filter((address) => !there.has(address)),
    ['1'],
    'only the one that was trimmed'
  )
})

t.test('what is killed between the failed write and the opening again has lost nothing', async (t) => {
  const directory = t.testdir()
  const process = new Limited(directory, 'full.closed')
  await process.until(({ room }) => room === true)
  process.say('append')
  await process.until(({ appended }) => (appended ?? 0) >= 20)
  await process.limit('40000')
  await t.rejects(
    process.until(() => false),
    /it ended/
  )
  t.equal(await process.end(), 'SIGKILL')
  const there = new Set(await kept(t, directory))
  const answered = process.lines.flatMap(({ appended }) => (appended === undefined ? [] : [String(appended)]))
  t.same(
    answered.filter((address) => !there.has(address)),
    []
  )
})

t.test('an append that waits for room when the spool is closed fails with a code', async (t) => {
  // A reserve that no disk has room for: the spool is full from its start on.
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 1_000_000, log: createLog('test', () => {}), reserveBytes: 2 ** 50 })
  t.ok(spool.state.diskFull)
  const waiting = spool.append({ lane: 'live', readouts: [readout('1', 1)], profiles: [], marks: [] })
  const refused = t.rejects(waiting, { code: 'SPOOL_DISK_FULL' })
  await spool.close()
  await refused
  await t.rejects(spool.room(), { code: 'SPOOL_DISK_FULL' })
})
