import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import t, { type Test } from 'tap'
import { DiskCounters } from '../../src/keys/counters.js'

const name = 'dlms key 00 sent by 01'

async function written(t: Test): Promise<string> {
  const directory = join(t.testdir(), 'counters')
  const counters = await DiskCounters.open(directory)
  for (let value = 1; value <= 50; value += 1) await counters.write(name, value)
  await counters.close()
  return directory
}

async function read(directory: string): Promise<number | undefined> {
  const counters = await DiskCounters.open(directory)
  try {
    return await counters.read(name)
  } finally {
    await counters.close()
  }
}

// LevelDB passes over what is damaged in its log: alone it would give the value before, and counters would be used again.
t.test('a byte that the disk lost does not let a counter run back, whichever it is', async (t) => {
  for (const copy of ['', '-twin']) {
    for (const at of [0, 0.5, 0.99]) {
      const directory = await written(t)
      const log = readdirSync(`${directory}${copy}`).find((file) => file.endsWith('.log')) ?? ''
      const path = join(`${directory}${copy}`, log)
      const bytes = readFileSync(path)
      const place = Math.floor(at * bytes.length)
      bytes.writeUInt8(bytes.readUInt8(place) ^ 0x40, place)
      writeFileSync(path, bytes)
      t.equal(await read(directory), 50, `${copy} ${at}`)
    }
  }
})

t.test('what does not open says which of the two may go, and the other one has the counters', async (t) => {
  for (const copy of ['', '-twin']) {
    const directory = await written(t)
    writeFileSync(join(`${directory}${copy}`, 'CURRENT'), 'MANIFEST-999999\n')
    await t.rejects(DiskCounters.open(directory), { code: 'KEYS_UNREADABLE', message: `${directory}${copy} are damaged` })
    rmSync(`${directory}${copy}`, { recursive: true })
    t.equal(await read(directory), 50)
  }
})

t.test('one process at a time', async (t) => {
  const directory = await written(t)
  const held = await DiskCounters.open(directory)
  await t.rejects(DiskCounters.open(directory), { code: 'KEYS_BUSY' })
  await held.close()
  t.equal(await read(directory), 50)
})

t.test('a counter that is no number is none to go on from', async (t) => {
  const directory = join(t.testdir(), 'counters')
  mkdirSync(directory)
  const level = new ClassicLevel<string, string>(directory)
  await level.put(name, 'x')
  await level.close()
  await t.rejects(read(directory), { code: 'KEYS_UNREADABLE' })
})
