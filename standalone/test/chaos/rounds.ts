import { setTimeout as sleep } from 'node:timers/promises'
import { type KillPointName as GatewayPoint, killPoints as gatewayPoints } from '@endeks/gateway/service'
import { killPoints as ingestPoints, type KillPointName } from '@endeks/ingest/service'
import { disasters } from './disasters.js'
import { gateways } from './meters.js'
import type { Random } from './random.js'
import { command } from './registry.js'
import type { World } from './world.js'

/** One thing that goes wrong, and is over again when the promise resolves. */
export interface Round {
  readonly name: string
  /** fills a disk, for which there must be one of its own */
  readonly needsDisk?: boolean
  /** @returns what it did not bring about, or undefined */
  run(world: World, random: Random): Promise<string | undefined>
}

/** How long a process may take until it comes to the point at which it is to die. */
const reachWithinMs = 120_000

function ingestDiesAt(point: KillPointName): Round {
  return {
    name: `ingest dies at ${point}`,
    async run(world) {
      await world.ingest.kill()
      if (point === 'adopt:inserted' && !(await world.enterOneLate())) return undefined
      if (point.startsWith('downlink:')) await command(world.database.pool, gateways[0], 'read-now')
      await world.startIngest(point)
      await reconnect(world)
      const died = await world.ingest.dies(reachWithinMs)
      if (!died) await world.ingest.kill()
      await world.startIngest()
      return died ? undefined : `ingest never came to ${point}`
    }
  }
}

/** A spool that loses messages to its limit or is damaged loses what is to be held against the tables here: its own tests kill there. */
const elsewhere: readonly GatewayPoint[] = ['loss.before-forgetting', 'loss.forgotten', 'damage.aside', 'damage.salvaged']

function gatewayDiesAt(point: GatewayPoint): Round {
  const full = point === 'full.closed'
  return {
    name: `a gateway dies at ${point}`,
    needsDisk: full,
    async run(world, random) {
      const { spoolDisk } = world
      const gateway = full ? world.gateways[0] : random.pick(world.gateways)
      if (gateway === undefined) throw new Error('there is no gateway')
      await gateway.kill()
      // Reading is begun as often as one likes; that a command begins which is not, is written down first.
      const kind = point === 'command.started' ? 'set-clock' : 'read-now'
      if (/^(command|answer)\./.test(point)) await command(world.database.pool, gateway.name, kind)
      await world.startGateway(gateway, point)
      if (full) spoolDisk?.fill()
      const died = await gateway.dies(reachWithinMs)
      spoolDisk?.empty()
      if (!died) await gateway.kill()
      await world.startGateway(gateway)
      return died ? undefined : `${gateway.name} never came to ${point}`
    }
  }
}

/** A gateway that lost its broker takes its time; one that starts connects at once. */
async function reconnect(world: World): Promise<void> {
  for (const gateway of world.gateways) {
    await gateway.kill()
    await world.startGateway(gateway)
  }
}

const atAnyMoment: readonly Round[] = [
  {
    name: 'ingest loses its power',
    async run(world, random) {
      await sleep(random.between(50, 1_500))
      await world.ingest.kill()
      await world.startIngest()
      await reconnect(world)
      return undefined
    }
  },
  {
    name: 'a gateway loses its power',
    async run(world, random) {
      await sleep(random.between(50, 1_500))
      const gateway = random.pick(world.gateways)
      await gateway.kill()
      await world.startGateway(gateway)
      return undefined
    }
  },
  {
    name: 'PostgreSQL loses its power',
    async run(world, random) {
      await sleep(random.between(50, 1_500))
      await world.database.kill()
      return undefined
    }
  },
  {
    name: 'the network is cut',
    async run(world, random) {
      await sleep(random.between(50, 500))
      world.witness.cut()
      await sleep(random.between(100, 1_500))
      world.witness.mend()
      return undefined
    }
  },
  {
    name: 'the network goes silent',
    async run(world, random) {
      await sleep(random.between(50, 500))
      world.witness.freeze()
      await sleep(random.between(500, 2_000))
      world.witness.mend()
      return undefined
    }
  }
]

/** Every named kill point once, in a drawn order, then whatever is drawn. */
export function* rounds(random: Random, disks: boolean): Generator<Round> {
  const inGateways = gatewayPoints.filter((point) => !elsewhere.includes(point)).map(gatewayDiesAt)
  const named = [...ingestPoints.map(ingestDiesAt), ...inGateways, ...atAnyMoment, ...disasters]
  yield* random.shuffled(named.filter((round) => disks || round.needsDisk !== true))
  for (;;) yield random.pick(atAnyMoment)
}
