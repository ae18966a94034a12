import { type EpochMs, fromIso } from '@endeks/domain/time'
import { firstValueFrom, take, toArray } from 'rxjs'
import t from 'tap'
import type { SiteBus, SiteMeter } from '../../src/config/check.js'
import { modbusProtocol } from '../../src/protocols/modbus/driver.js'
import { BusQueue } from '../../src/schedule/bus-queue.js'
import { PollPlan } from '../../src/schedule/poll-plan.js'
import { type Poll, schedule } from '../../src/schedule/schedule.js'

const zone = 'Europe/Istanbul'
const minute = 60_000

function meter(address: string, options: Partial<SiteMeter> = {}): SiteMeter {
  const profile = { name: 'p', protocol: 'modbus', value: {}, content: '{}', hash: '0'.repeat(64) }
  return { address, profile, key: undefined, everyMs: minute, historySince: undefined, ...options }
}

function bus(name: string, meters: SiteMeter[]): SiteBus {
  return { name, protocol: modbusProtocol, answerWithinMs: 100, options: {}, meters }
}

/** A clock that stands until it is told to go on. */
class StandingClock {
  instant = fromIso('2026-03-05T09:00:00Z') as number
  /** how much of it is no passing of time, but a setting of the clock */
  setBy = 0
  now(): EpochMs {
    return this.instant as EpochMs
  }
  readonly elapsedMs = (): number => this.instant - this.setBy
  set(byMs: number): void {
    this.instant += byMs
    this.setBy += byMs
  }
}

t.test('history comes first and again after midnight of the site; current values between', async (t) => {
  const clock = new StandingClock()
  const plan = new PollPlan({
    bus: 'b',
    meter: meter('1', { historySince: fromIso('2025-10-01T00:00:00Z') }),
    clock,
    zone,
    elapsedMs: clock.elapsedMs
  })
  t.equal(plan.due(), 'history')
  plan.settle('history', true)
  t.equal(plan.due(), 'current')
  clock.instant = fromIso('2026-03-05T20:59:00Z')
  t.equal(plan.due(), 'current', '23:59 in Istanbul')
  clock.instant = fromIso('2026-03-05T21:31:00Z')
  t.equal(plan.due(), 'history', '00:31: a new day')
  plan.settle('history', false)
  t.equal(plan.due(), 'current', 'a failing history does not keep current values from being read')
})

t.test('a meter without a schedule has only its history read', async (t) => {
  const clock = new StandingClock()
  const plan = new PollPlan({
    bus: 'b',
    meter: meter('1', { everyMs: undefined, historySince: 0 as EpochMs }),
    clock,
    zone,
    elapsedMs: clock.elapsedMs
  })
  t.equal(plan.due(), 'history')
  plan.settle('history', true)
  t.equal(plan.due(), undefined)
})

t.test('two failures are a disturbance, more are backed off, up to a bound, and one success ends it', async (t) => {
  const clock = new StandingClock()
  const plan = new PollPlan({ bus: 'b', meter: meter('1'), clock, zone, elapsedMs: clock.elapsedMs })
  plan.settle('current', false)
  plan.settle('current', false)
  t.equal(plan.due(), 'current')
  const skipped: number[] = []
  for (let failures = 3; failures <= 12; failures += 1) {
    plan.settle('current', false)
    let ticks = 0
    while (plan.due() === undefined) {
      clock.instant += minute
      ticks += 1
    }
    skipped.push(ticks)
  }
  t.same(skipped, [2, 4, 8, 15, 15, 15, 15, 15, 15, 15])
  plan.settle('current', true)
  t.equal(plan.due(), 'current')
})

t.test('a clock that is set moves no back-off and no turn; only midnights go by it', async (t) => {
  const clock = new StandingClock()
  const plan = (address: string): PollPlan =>
    new PollPlan({
      bus: 'b',
      meter: meter(address, { historySince: fromIso('2025-10-01T00:00:00Z') }),
      clock,
      zone,
      elapsedMs: clock.elapsedMs
    })
  const [failing, first, second] = [plan('1'), plan('2'), plan('3')]
  failing.settle('history', true)
  for (let failures = 1; failures <= 12; failures += 1) failing.settle('current', false)
  const turn = first.turn()
  clock.set(-3_600_000)
  t.equal(second.turn(), turn, 'who waited already does not wait an hour more')
  t.equal(failing.due(), undefined)
  clock.instant += 15 * minute
  t.equal(failing.due(), 'current', 'after the time that it began with')
  clock.set(-5 * 365 * 86_400_000)
  t.equal(failing.due(), 'history', 'not at the next midnight of a clock that was wrong')
  failing.settle('history', false)
  t.equal(failing.due(), undefined)
  clock.set(3_600_000)
  t.equal(failing.due(), undefined)
})

t.test('the place within a period is the same at every start and differs between meters', async (t) => {
  const clock = new StandingClock()
  const phase = (address: string): number =>
    new PollPlan({ bus: 'b', meter: meter(address), clock, zone, elapsedMs: clock.elapsedMs }).phaseMs
  t.equal(phase('1'), phase('1'))
  const phases = new Set(Array.from({ length: 100 }, (_, index) => phase(String(index))))
  t.ok(phases.size > 90, 'spread out')
  t.ok([...phases].every((each) => each >= 0 && each < minute))
})

t.test(
  'a dead meter costs one time-out a tick: one conversation at a time, the others are read, missed ticks are not made up',
  async (t) => {
    const clock = new StandingClock()
    const everyMs = 20
    let speaking = 0
    let most = 0
    const seen: string[] = []
    const settled = schedule([bus('one', [meter('dead', { everyMs }), meter('a', { everyMs }), meter('b', { everyMs })])], {
      clock,
      zone,
      poll: async (_, { meter: { address } }) => {
        speaking += 1
        most = Math.max(most, speaking)
        await new Promise((resolve) => setTimeout(resolve, address === 'dead' ? 100 : 1))
        speaking -= 1
        seen.push(address)
        return address !== 'dead'
      }
    })
    await firstValueFrom(settled.pipe(take(12), toArray()))
    t.equal(most, 1)
    for (const [index, address] of seen.entries()) {
      if (address === 'dead')
        t.same(new Set(seen.slice(index + 1, index + 3)).has('dead'), false, 'each dead tick is followed by the others')
    }
    // Five ticks fell within each time-out; had they queued, the healthy meters would be read in bursts of five.
    t.ok(seen.filter((address) => address === 'a').length <= 8)
    t.ok(seen.includes('a') && seen.includes('b'))
  }
)

t.test('a meter that failed lets those that are due go first, but for no longer than a period', async (t) => {
  const clock = new StandingClock()
  const plan = (address: string): PollPlan => new PollPlan({ bus: 'b', meter: meter(address), clock, zone, elapsedMs: clock.elapsedMs })
  const [silent, first, second, late] = [plan('silent'), plan('first'), plan('second'), plan('late')]
  t.ok(first.doubtful, 'a meter that was never asked')
  for (const answering of [first, second, late]) answering.settle('current', true)
  silent.settle('current', false)
  t.same([silent.doubtful, first.doubtful], [true, false])
  const order: string[] = []
  let free = (): void => {}
  const queue = new BusQueue(async ({ meter: { address } }) => {
    order.push(address)
    if (address === 'first') await new Promise<void>((resolve) => (free = resolve))
  })
  const done = queue.add(first)
  await queue.add(silent)
  await queue.add(second)
  await queue.add(second)
  clock.instant += minute + 1
  await queue.add(late)
  free()
  await done
  t.same(order, ['first', 'second', 'silent', 'late'])
  t.equal(new Set(order).size, order.length, 'none twice')
})

t.test('buses do not wait for each other, and unsubscribing calls conversations off', async (t) => {
  const clock = new StandingClock()
  let aborted = false
  const poll = (site: SiteBus, { signal }: Poll): Promise<boolean> =>
    site.name === 'stuck'
      ? new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true
            resolve(false)
          })
        })
      : Promise.resolve(true)
  const settled = schedule([bus('stuck', [meter('1', { everyMs: 5 })]), bus('free', [meter('1', { everyMs: 5 })])], { clock, zone, poll })
  const first = await firstValueFrom(settled.pipe(take(3), toArray()))
  t.same(
    first.map((each) => each.bus),
    ['free', 'free', 'free']
  )
  t.ok(aborted)
})
