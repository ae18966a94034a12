import type { Clock } from '@endeks/domain/time'
import { from, map, merge, Observable, timer } from 'rxjs'
import type { SiteBus, SiteMeter } from '../config/check.js'
import { BusQueue } from './bus-queue.js'
import { type PollKind, PollPlan } from './poll-plan.js'

/** A conversation that is due. */
export interface Poll {
  readonly meter: SiteMeter
  readonly kind: PollKind
  readonly doubtful: boolean
  readonly signal: AbortSignal
}

export interface ScheduleDependencies {
  readonly clock: Clock
  readonly zone: string
  /** time that no setting of the clock changes; the system's unless told */
  readonly elapsedMs?: () => number
  /** one conversation; resolves to whether it brought what was asked for */
  readonly poll: (bus: SiteBus, poll: Poll) => Promise<boolean>
}

export interface Settled {
  readonly bus: string
  readonly address: string
  readonly kind: PollKind
  readonly succeeded: boolean
}

/**
 * Reads every meter of every bus when its time comes: buses side by side, one conversation at a time on each. A tick that
 * finds its meter still waiting or being read is skipped, so a bus never owes more than one conversation per meter. A dead
 * meter lets the others go first and costs them one time-out a period, later one a back-off. Unsubscribing calls the conversations off.
 */
export function schedule(buses: readonly SiteBus[], dependencies: ScheduleDependencies): Observable<Settled> {
  return merge(...buses.map((bus) => busSchedule(bus, dependencies)))
}

function busSchedule(bus: SiteBus, dependencies: ScheduleDependencies): Observable<Settled> {
  return new Observable((subscriber) => {
    const stop = new AbortController()
    const { clock, zone, elapsedMs = () => performance.now() } = dependencies
    const plans = bus.meters.map((meter) => new PollPlan({ bus: bus.name, meter, clock, zone, elapsedMs }))
    const ticks = merge(
      // Stored values are wanted at once, the more so after a long silence.
      from(plans.filter((plan) => plan.due() === 'history')),
      ...plans.map((plan) => timer(plan.phaseMs, plan.periodMs).pipe(map(() => plan)))
    )
    const queue = new BusQueue(async (plan) => {
      const kind = plan.due()
      if (kind === undefined || stop.signal.aborted) return
      const succeeded = await dependencies.poll(bus, { meter: plan.meter, kind, doubtful: plan.doubtful, signal: stop.signal })
      plan.settle(kind, succeeded)
      subscriber.next({ bus: bus.name, address: plan.meter.address, kind, succeeded })
    })
    const running = ticks.subscribe((plan) => {
      queue.add(plan).catch((thrown: unknown) => subscriber.error(thrown))
    })
    return () => {
      stop.abort()
      running.unsubscribe()
    }
  })
}
