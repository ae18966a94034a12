import type { SiteImport } from '@endeks/billing-api/contract'
import { AppError } from '@endeks/domain/errors'
import { startOfDay, toIso } from '@endeks/domain/time'
import type { SimulatedSite } from '@endeks/firmware-sim/site'
import type { GatewaySiteFile } from '@endeks/gateway/config'
import { Temporal } from 'temporal-polyfill'
import type { Site, SiteMeter } from './schema.js'

/** A site with the day on which its history begins. It is fixed at the first start, or the past would move with the calendar. */
export interface DatedSite {
  readonly site: Site
  readonly startedOn: string
}

function midnight(date: string, zone: string): string {
  return toIso(startOfDay(Temporal.PlainDate.from(date), zone))
}

/** The site as the accounts are told of it. */
export function importOf({ site, startedOn }: DatedSite, passwords: ReadonlyMap<string, string>): SiteImport {
  const { zone } = site.utility
  const start = midnight(startedOn, zone)
  const span = (meter: SiteMeter) => ({
    from: meter.from === undefined ? start : midnight(meter.from, zone),
    ...(meter.to === undefined ? {} : { to: midnight(meter.to, zone) })
  })
  const meters = site.points.flatMap((point) => point.meters.map((meter) => ({ point, meter })))
  return {
    utility: site.utility,
    parameters: Object.entries(site.kdv).flatMap(([kdvClass, rows]) =>
      rows.map((row) => ({ name: `kdv.${kdvClass}`, validFrom: row.from, value: { rate: row.rate } }))
    ),
    tariffs: site.tariffs,
    gateways: site.gateways.map(({ id, name }) => ({ id, name, password: passwordOf(passwords, id) })),
    participants: site.participants,
    servicePoints: site.points.map(({ code, commodity, property }) => ({ code, commodity, property })),
    meters: meters.map(({ meter }) => ({
      serial: meter.serial,
      manufacturer: meter.manufacturer,
      ...(meter.model === undefined ? {} : { model: meter.model }),
      medium: meter.medium,
      registers: [{ obis: meter.obis, digits: meter.digits, maxPerHour: meter.maxPerHour }]
    })),
    installations: meters.map(({ point, meter }) => ({
      meter: { serial: meter.serial, manufacturer: meter.manufacturer },
      servicePoint: point.code,
      ...span(meter)
    })),
    connections: meters.map(({ point, meter }) => ({
      gateway: meter.gateway,
      bus: meter.bus,
      address: meter.address,
      servicePoint: point.code,
      ...span(meter)
    })),
    subscriptions: site.points.map((point) => ({
      number: point.subscription,
      contract: point.contract,
      participant: point.participant,
      commodity: point.commodity,
      route: point.route,
      openedAt: point.meters[0]?.from === undefined ? start : midnight(point.meters[0].from, zone),
      tariff: point.tariff,
      supplies: [{ servicePoint: point.code }]
    }))
  }
}

export function passwordOf(passwords: ReadonlyMap<string, string>, gateway: string): string {
  const password = passwords.get(gateway)
  if (password === undefined) throw new AppError('INTERNAL', `gateway ${gateway} has no password`)
  return password
}

/** The buses as the simulator puts them on ports; a bus's name there is "gateway/bus" with a dot, as names have no slash. */
export function simulatedSiteOf({ site, startedOn }: DatedSite): SimulatedSite {
  return {
    zone: site.utility.zone,
    buses: site.gateways.flatMap((gateway) =>
      gateway.buses.map((bus) => ({
        name: `${gateway.id}.${bus.name}`,
        protocol: bus.protocol,
        host: bus.host ?? '127.0.0.1',
        port: bus.port ?? 0,
        meters: metersOn(site, gateway.id, bus.name).map((meter) => simulatedEntry(meter, startedOn))
      }))
    )
  }
}

function metersOn(site: Site, gateway: string, bus: string): SiteMeter[] {
  return site.points.flatMap((point) => point.meters.filter((meter) => meter.gateway === gateway && meter.bus === bus))
}

export function simulatedEntry(meter: SiteMeter, startedOn: string): SimulatedSite['buses'][number]['meters'][number] {
  const { simulated } = meter
  if (simulated === undefined) throw new AppError('INTERNAL', `meter ${meter.serial} is not simulated`)
  return {
    address: meter.address,
    serial: meter.serial,
    manufacturer: meter.manufacturer,
    version: simulated.version,
    medium: meter.medium,
    scaler: simulated.scaler,
    digits: meter.digits,
    startedAt: meter.from ?? startedOn,
    initialIndex: simulated.initialIndex,
    shape: simulated.shape,
    ...(simulated.faults === undefined ? {} : { faults: simulated.faults }),
    ...(meter.to === undefined ? {} : { stoppedAt: meter.to })
  }
}

/** One gateway's own file. A dismounted meter stands on the bench: what it stored is read, its index of now is not. */
export function gatewayFileOf(
  { site, startedOn }: DatedSite,
  gateway: Site['gateways'][number],
  where: { readonly mqttUrl: string; readonly ports: ReadonlyMap<string, number> }
): GatewaySiteFile {
  return {
    gateway: gateway.id,
    zone: site.utility.zone,
    mqtt: { url: where.mqttUrl },
    schedules: { live: { everyMs: site.pollEveryMs } },
    buses: gateway.buses.map((bus) => ({
      name: bus.name,
      protocol: bus.protocol,
      host: bus.host ?? '127.0.0.1',
      port: where.ports.get(`${gateway.id}.${bus.name}`) ?? bus.port ?? 0,
      ...(bus.answerWithinMs === undefined ? {} : { answerWithinMs: bus.answerWithinMs }),
      meters: metersOn(site, gateway.id, bus.name).map((meter) => ({
        address: meter.address,
        profile: meter.profile,
        historySince: meter.from ?? startedOn,
        ...(meter.to === undefined ? { schedule: 'live' } : {})
      }))
    }))
  }
}
