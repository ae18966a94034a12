import type { MeterDetail } from '@endeks/billing-api/contract'
import { AppError } from '@endeks/domain/errors'
import { systemClock } from '@endeks/domain/process'
import { startOfDay, toIso } from '@endeks/domain/time'
import { formatScaled, meterUnits } from '@endeks/domain/units'
import { simulatedMeter } from '@endeks/firmware-sim/site'
import { Temporal } from 'temporal-polyfill'
import type { ApiClient } from './client.js'
import { type DatedSite, simulatedEntry } from './site/project.js'
import type { SiteMeter } from './site/schema.js'

/**
 * Types in the closing index of each dismounted meter and the opening index of the one that follows, as the fitter noted them.
 * At a simulated site the fitter reads the simulated dials. Typed again, they are the same readings and change nothing.
 */
export async function typeExchangeIndexes(api: ApiClient, dated: DatedSite): Promise<void> {
  for (const point of dated.site.points) {
    for (const meter of point.meters) {
      if (meter.from !== undefined) await typeIndex(api, dated, { meter, day: meter.from, given: meter.openingIndex })
      if (meter.to !== undefined) await typeIndex(api, dated, { meter, day: meter.to, given: meter.closingIndex })
    }
  }
}

interface Noted {
  readonly meter: SiteMeter
  readonly day: string
  readonly given: string | undefined
}

async function typeIndex(api: ApiClient, dated: DatedSite, { meter, day, given }: Noted): Promise<void> {
  const { items } = await api.get<{ items: MeterDetail[] }>(`/meters?search=${encodeURIComponent(meter.serial)}`)
  const known = items.find((each) => each.serial === meter.serial && each.manufacturer === meter.manufacturer)
  const register = known?.registers.find((each) => each.obis === meter.obis)
  if (register === undefined) throw new AppError('METER_NOT_FOUND', `meter ${meter.manufacturer} ${meter.serial} is not registered`)
  const at = startOfDay(Temporal.PlainDate.from(day), dated.site.utility.zone)
  const index = given === undefined ? dialAt(meter, dated, at) : { value: given, unit: 'm3' }
  await api.post('/readings', { register: register.id, at: toIso(at), index })
}

/** What a simulated dial shows, in the unit that a person writes down. */
function dialAt(meter: SiteMeter, dated: DatedSite, at: ReturnType<typeof startOfDay>): { value: string; unit: string } {
  const simulated = simulatedMeter(simulatedEntry(meter, dated.startedOn), dated.site.utility.zone, systemClock)
  const milli = simulated.indexAt(at) * meterUnits[simulated.unit].milli * 10n ** BigInt(Math.max(simulated.scaler, 0))
  const base = milli / 10n ** BigInt(Math.max(-simulated.scaler, 0))
  const unit = meterUnits[simulated.unit].base === 'L' ? 'm3' : meterUnits[simulated.unit].base === 'Wh' ? 'kWh' : 'MJ'
  return { value: formatScaled(base, unit === 'MJ' ? 9 : 6, 0), unit }
}
