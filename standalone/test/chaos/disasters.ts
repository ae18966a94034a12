import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Round } from './rounds.js'
import type { SmallDisk } from './small-disk.js'
import type { World } from './world.js'

/** How long a disk stays full at least, how long it may take until somebody says so, and for how long PostgreSQL says that it recovers. */
const fullMs = 8_000
const saidWithinMs = 60_000
const recoveryMs = 20_000
/** How long a part may take to go on as before. */
const backWithinMs = 180_000

/** Troubles that no program can mend: each has to end in a message that says what to do, and to be over when its cause is. */
export const disasters: readonly Round[] = [
  {
    name: "a gateway's disk is full",
    needsDisk: true,
    async run(world) {
      const [gateway] = world.gateways
      if (gateway === undefined || world.spoolDisk === undefined) throw new Error('there is no gateway with a disk of its own')
      const said = await fillUntilSaid(world.spoolDisk, { log: gateway.log, word: 'SPOOL_DISK_FULL' })
      if (!gateway.runs) return `${gateway.name} ended`
      if (!said) return `${gateway.name} did not say SPOOL_DISK_FULL`
      return goesOn(world)
    }
  },
  {
    name: "PostgreSQL's disk is full",
    needsDisk: true,
    async run(world) {
      if (world.databaseDisk === undefined) throw new Error('the database has no disk of its own')
      const said = await fillUntilSaid(world.databaseDisk, { log: world.ingest.log, word: 'DATABASE_FULL' })
      await world.database.revive()
      if (!said) return 'ingest did not say DATABASE_FULL'
      return goesOn(world)
    }
  },
  {
    name: `PostgreSQL recovers for ${recoveryMs / 1000} s`,
    async run(world) {
      await world.database.kill({ recoverForMs: recoveryMs })
      return goesOn(world)
    }
  },
  {
    name: "a gateway's clock is set back an hour",
    async run(world) {
      world.deviceTime.set('-1h')
      const problem = await goesOn(world)
      world.deviceTime.set('+0')
      return problem ?? goesOn(world)
    }
  }
]

/** Keeps a disk full, whatever others free meanwhile. @returns whether the word was said */
async function fillUntilSaid(disk: SmallDisk, { log, word }: { readonly log: string; readonly word: string }): Promise<boolean> {
  const before = readFileSync(log).length
  const began = performance.now()
  let said = false
  for (let ms = 0; ms < saidWithinMs && !(said && ms > fullMs); ms = performance.now() - began) {
    disk.fill()
    await sleep(200)
    said ||= readFileSync(log, 'utf8').slice(before).includes(word)
  }
  disk.empty()
  return said
}

/** Whether messages of every gateway are acknowledged again. */
async function goesOn(world: World): Promise<string | undefined> {
  const heard = new Set<string>()
  const until = performance.now() + backWithinMs
  const stop = world.witness.onAcknowledged((topic) => heard.add(topic.split('/')[2] ?? ''))
  while (performance.now() < until && heard.size < world.gateways.length) await sleep(100)
  stop()
  const silent = world.gateways.filter(({ name }) => !heard.has(name)).map(({ name }) => name)
  return silent.length === 0 ? undefined : `nothing of ${silent.join(', ')} was acknowledged within ${backWithinMs / 1000} s`
}
