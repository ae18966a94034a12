import { readFileSync } from 'node:fs'
import { systemClock } from '@endeks/domain/process'
import { billingMonth, billingMonths, toIso } from '@endeks/domain/time'
import { checkSite } from '../src/site/check.js'
import type { DatedSite } from '../src/site/project.js'

const shipped = new URL('../../sites/organised-zone.json', import.meta.url)
export const zone = 'Europe/Istanbul'

/** What differs between the protocols of the way: bus, profile and a serial that the protocol can say. */
export const ways = {
  mbus: { profile: 'generic-mbus-water', serial: '68204417', manufacturer: 'KAM' },
  modbus: { profile: 'generic-modbus-water', serial: '78204417', manufacturer: 'ELS' },
  dlms: { profile: 'generic-dlms-water', serial: '88204417', manufacturer: 'ITR' }
} as const
export type WayName = keyof typeof ways

/** The last closed month of the calendar, which the tests bill. */
export function lastMonth(): { label: string; from: string; to: string; firstDay: string } {
  const month = billingMonths(1, systemClock.now(), zone)[0]
  if (month === undefined) throw new Error('there is no month before this one')
  const { from, to } = billingMonth(month, zone)
  return { label: month.toString(), from: toIso(from), to: toIso(to), firstDay: month.toPlainDate({ day: 1 }).toString() }
}

/** A whole site file with two meters of each protocol behind one gateway, as a person would write one. */
export function smallSites(months: number): { document: unknown; meters: number } {
  const document = JSON.parse(readFileSync(shipped, 'utf8')) as {
    historyMonths: number
    gateways: { id: string; name: string; buses: unknown[] }[]
    points: { participant: string; meters: { gateway: string }[] }[]
    participants: { registryNo: string }[]
  }
  const shippedGateways = document.gateways
  document.points = shippedGateways.flatMap(({ id }) => document.points.filter((point) => point.meters[0]?.gateway === id).slice(0, 2))
  document.participants = document.participants.filter(({ registryNo }) =>
    document.points.some((point) => point.participant === registryNo)
  )
  document.gateways = [{ id: 'GW-1', name: 'Deneme', buses: shippedGateways.flatMap((gateway) => gateway.buses) }]
  for (const point of document.points) for (const meter of point.meters) meter.gateway = 'GW-1'
  document.historyMonths = months
  return { document, meters: document.points.length }
}

/** One participant with one meter whose dial shows `opening` when the month began and `closing` from its end on, in litres. */
export function smallSite(protocol: WayName, { opening, closing }: { opening: number; closing: number }): DatedSite {
  const month = lastMonth()
  const { utility, kdv, tariffs } = JSON.parse(readFileSync(shipped, 'utf8')) as Record<string, unknown>
  const way = ways[protocol]
  const points = [
    { at: month.from, raw: opening },
    { at: month.to, raw: closing }
  ]
  const site = {
    utility,
    kdv,
    tariffs,
    pollEveryMs: 1_000,
    historyMonths: 1,
    simulation: { billClosedMonths: false },
    gateways: [{ id: 'GW-1', name: 'Deneme', buses: [{ name: 'bus-1', protocol }] }],
    participants: [{ registryNo: '100001', kind: 'organisation', name: 'Işık Boya San. ve Tic. A.Ş.', ownershipStatus: 'owner' }],
    points: [
      {
        code: 'SU-1',
        property: { kind: 'parcel', label: '142/7' },
        commodity: 'water',
        participant: '100001',
        contract: 'SZ-1',
        subscription: 'AB-1',
        route: 'R1',
        tariff: 'sanayi',
        meters: [
          {
            serial: way.serial,
            manufacturer: way.manufacturer,
            medium: 'cold-water',
            obis: '8-0:1.0.0*255',
            digits: 9,
            maxPerHour: { value: '100', unit: 'm3' },
            gateway: 'GW-1',
            bus: 'bus-1',
            address: '7',
            profile: way.profile,
            simulated: { scaler: -3, version: 27, initialIndex: opening, shape: { type: 'fixed', points } }
          }
        ]
      }
    ]
  }
  return { site: checkSite(site, 'the small site', toIso(systemClock.now()).slice(0, 10)), startedOn: month.firstDay }
}
