import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLog } from '@endeks/domain/process'
import t, { type Test } from 'tap'
import { drawers } from '../../src/spool/message.js'
import { Spool } from '../../src/spool/spool.js'
import { readout } from './readouts.js'

const count = 60
const mark = { newest: 1_772_000_000_000 as never, recent: [] }

interface Opened {
  readonly spool: Spool
  readonly codes: (string | undefined)[]
  readonly addresses: string[]
}

async function open(directory: string): Promise<Opened> {
  const codes: (string | undefined)[] = []
  const log = createLog('test', (line) => codes.push((JSON.parse(line) as { code?: string }).code))
  const spool = await Spool.open({ directory, maxBytes: 10_000_000, log })
  const addresses: string[] = []
  for (const drawer of drawers) {
    for (const { text } of await spool.range(drawer, { first: 1, last: Number.MAX_SAFE_INTEGER, limit: 10_000 })) {
      addresses.push((JSON.parse(text) as { exchanges: { address: string }[] }).exchanges[0]?.address ?? '')
    }
  }
  return { spool, codes, addresses }
}

/** A closed spool with messages in a table and as many again in the log. */
async function filled(t: Test): Promise<{ directory: string; epoch: string }> {
  const directory = join(t.testdir(), 'spool')
  let epoch = ''
  for (const half of [0, 1]) {
    const { spool } = await open(directory)
    epoch = spool.epoch
    for (let index = 0; index < count / 2; index += 1) {
      const address = String(half * 100 + index)
      const marks = [{ bus: 'mbus-1', address, mark }]
      await spool.append({
        lane: 'backlog',
        readouts: [readout(address, 1, 600)],
        profiles: [{ hash: 'c'.repeat(64), content: '{}' }],
        marks
      })
    }
    await spool.close()
  }
  return { directory, epoch }
}

function fileOf(directory: string, pattern: RegExp): string {
  const name = readdirSync(directory).find((each) => pattern.test(each))
  if (name === undefined) throw new Error(`no ${pattern} among ${readdirSync(directory).join(' ')}`)
  return join(directory, name)
}

function flip(path: string, place: number): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place)
  writeFileSync(path, bytes)
}

t.test('a log that ends in the middle of a write, as after a power cut, opens as it was before that write', async (t) => {
  const { directory, epoch } = await filled(t)
  const log = fileOf(directory, /\.log$/)
  truncateSync(log, statSync(log).size - 100)
  const torn = await open(directory)
  t.equal(torn.spool.epoch, epoch)
  t.equal(torn.addresses.length, count - 1)
  await torn.spool.close()
  const zeroed = fileOf(directory, /\.log$/)
  truncateSync(zeroed, statSync(zeroed).size + 5_000)
  const again = await open(directory)
  t.same([again.spool.epoch, again.addresses.length, again.codes], [epoch, count - 1, []])
  await again.spool.close()
})

t.test('a damaged spool is set aside with a word, kept, and taken over as far as it can be read', async (t) => {
  const damages: Record<string, (directory: string) => void> = {
    'a byte of the log': (directory) => flip(fileOf(directory, /\.log$/), 3_000),
    'no list of tables': (directory) => rmSync(fileOf(directory, /^MANIFEST/)),
    'a list of tables cut to nothing': (directory) => truncateSync(fileOf(directory, /^MANIFEST/), 0),
    'no table': (directory) => rmSync(fileOf(directory, /\.ldb$/)),
    'garbage for the name of the list': (directory) => writeFileSync(join(directory, 'CURRENT'), 'garbage')
  }
  for (const [name, damage] of Object.entries(damages)) {
    const { directory, epoch } = await filled(t)
    damage(directory)
    const { spool, codes, addresses } = await open(directory)
    t.not(spool.epoch, epoch, `${name}: a new epoch`)
    t.ok(codes.includes('SPOOL_DAMAGED'), name)
    t.ok(existsSync(join(`${directory}-damaged-1`, 'taken-over')), name)
    const whole = name.includes('list')
    t.ok(
      whole ? addresses.length === count : addresses.length >= count / 2 - 10 && addresses.length < count,
      `${name}: ${addresses.length}`
    )
    t.equal(spool.state.messages, addresses.length, name)
    t.equal(await spool.profile('c'.repeat(64)), '{}', name)
    t.equal(await spool.historyMark('mbus-1', '1'), undefined, `${name}: stored values are read again`)
    const [first] = await spool.range('salvaged', { first: 1, last: 9, limit: 1 })
    t.match(JSON.parse(first?.text ?? '{}'), { epoch, lane: 'backlog' }, `${name}: under its old number`)
    if (first !== undefined) await spool.trim(first)
    await spool.close()
    const again = await open(directory)
    t.same([again.codes, again.addresses.length], [[], addresses.length - 1], `${name}: and that once`)
    await again.spool.close()
  }
})

t.test('a table that gives something else than was written ends the spool with a code, and the next start goes on', async (t) => {
  const { directory, epoch } = await filled(t)
  const table = readFileSync(fileOf(directory, /\.ldb$/))
  // Within the evidence of a message, where LevelDB sees no harm.
  flip(fileOf(directory, /\.ldb$/), table.indexOf('"request":"') + 60)
  const failures: string[] = []
  const log = createLog('test', () => {})
  const spool = await Spool.open({ directory, maxBytes: 10_000_000, log, onFailure: ({ code }) => failures.push(code) })
  await t.rejects(spool.range('backlog', { first: 1, last: 999, limit: 999 }), { code: 'SPOOL_DAMAGED' })
  await t.rejects(spool.append({ lane: 'live', readouts: [readout('x', 1)], profiles: [], marks: [] }), { code: 'SPOOL_DAMAGED' })
  t.same(failures, ['SPOOL_DAMAGED'], 'told once')
  await spool.close()
  const next = await open(directory)
  t.not(next.spool.epoch, epoch)
  t.ok(next.addresses.length >= count - 10 && next.addresses.length < count, `${next.addresses.length}`)
  await next.spool.close()
})

t.test('a fourth damaged spool is refused: the disk is to be replaced', async (t) => {
  const { directory } = await filled(t)
  for (let time = 1; time <= 3; time += 1) {
    truncateSync(fileOf(directory, /^MANIFEST/), 0)
    await (await open(directory)).spool.close()
  }
  truncateSync(fileOf(directory, /^MANIFEST/), 0)
  await t.rejects(open(directory), { code: 'SPOOL_DAMAGED', message: /replace the disk/ })
})

t.test('a place that is no directory is refused as a setting that is wrong', async (t) => {
  const path = join(t.testdir(), 'file')
  writeFileSync(path, '')
  await t.rejects(open(path), { code: 'CONFIG_INVALID' })
})

t.test('what is killed while a damaged spool is set aside and taken over is done at the next start', async (t) => {
  const opener = fileURLToPath(new URL('./opener.js', import.meta.url))
  for (const point of ['damage.aside', 'damage.salvaged'] as const) {
    const { directory } = await filled(t)
    truncateSync(fileOf(directory, /^MANIFEST/), 0)
    const killed = spawn(process.execPath, [opener, directory, point], { stdio: 'ignore' })
    t.same((await once(killed, 'exit'))[1], 'SIGKILL', point)
    const { spool, addresses } = await open(directory)
    t.equal(new Set(addresses).size, count, point)
    t.ok(existsSync(join(`${directory}-damaged-1`, 'taken-over')), point)
    await spool.close()
  }
})
