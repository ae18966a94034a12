import { type EpochMs, epochMs, toLocal } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import { Temporal } from 'temporal-polyfill'
import { type CosemMethod, type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { boolean, integer, otherReason, success, typeUnmatched } from '../values.js'

export const clockClass = 8
const minuteMs = 60_000
/** Seconds that shift_time may move the clock. */
const mostShift = 900
const unspecifiedTime: dlms.CosemDateTime = {
  ...{ year: 0xffff, month: 0xff, day: 0xff, weekday: 0xff },
  ...{ hour: 0xff, minute: 0xff, second: 0xff, hundredths: 0xff },
  ...{ deviation: dlms.unspecifiedDeviation, status: 0xff }
}
const internalCrystal = 1
/** The centuries that the meter's calendar knows. */
const [earliest, latest] = [Date.UTC(2000, 0), Date.UTC(2100, 0)]

/** Minutes that clocks of the zone are ahead of UTC when they do not save daylight. */
export function normalOffset(at: EpochMs, zone: string): number {
  return seasonOf(at, zone).normalOffset
}

/** What a clock of the zone shows, with the bit of its daylight saving. */
export function clockTime(at: EpochMs, zone: string, normal = normalOffset(at, zone)): dlms.CosemDateTime {
  const shown = dlms.fromInstant(at, zone)
  return { ...shown, status: shown.deviation === -normal ? 0 : dlms.clockStatus.daylightSaving }
}

/** Class 8: local time with its deviation, daylight saving as the zone has it next, and the methods that set it. */
export function clockObject(device: MeterDevice): CosemObject {
  const { zone } = device.meter
  const season = () => seasonOf(device.now(), zone)
  return cosemObject({
    class: clockClass,
    obis: dlms.clockReference.obis,
    seenBy: 'identify',
    attributes: {
      2: {
        read: () => dlms.dateTimeOctets(clockTime(device.now(), zone)),
        writeBy: 'manage',
        write(value) {
          const to = instantOf(value, zone)
          if (to === undefined) return false
          device.setClock(to)
          return true
        }
      },
      3: { read: () => integer('long', -season().normalOffset) },
      4: { read: () => integer('unsigned', clockTime(device.now(), zone).status) },
      5: { read: () => dlms.dateTimeOctets(season().begins) },
      6: { read: () => dlms.dateTimeOctets(season().ends) },
      7: { read: () => integer('integer', season().saving) },
      8: { read: () => boolean(season().saving !== 0) },
      9: { read: () => integer('enum', internalCrystal) }
    },
    methods: methodsOf(device)
  })
}

function instantOf(value: dlms.DlmsData | undefined, zone: string): EpochMs | undefined {
  const time = value === undefined ? undefined : dlms.dateTimeOf(value)
  const instant = time === undefined ? undefined : dlms.toInstant(time, zone)
  return instant === undefined || instant < earliest || instant >= latest ? undefined : instant
}

/** Methods of class 8 by number; 2 is left out: the measuring period is a day, and a clock is not a day wrong. */
function methodsOf(device: MeterDevice): Record<number, CosemMethod> {
  const { zone } = device.meter
  let preset: { readonly time: EpochMs; readonly from: EpochMs; readonly to: EpochMs } | undefined
  const adjustTo = (stepMs: number): CosemMethod => ({
    by: 'manage',
    invoke(parameters) {
      if (parameters?.type !== 'integer') return typeUnmatched
      device.setClock(epochMs(Math.round(device.now() / stepMs) * stepMs))
      return success
    }
  })
  return {
    1: adjustTo(15 * minuteMs),
    3: adjustTo(minuteMs),
    4: {
      by: 'manage',
      invoke(parameters) {
        if (parameters?.type !== 'integer') return typeUnmatched
        const now = device.now()
        if (preset === undefined || now < preset.from || now > preset.to) return otherReason
        device.setClock(preset.time)
        return success
      }
    },
    5: {
      by: 'manage',
      invoke(parameters) {
        const [time, from, to] = parameters?.type === 'structure' ? parameters.value.map((each) => instantOf(each, zone)) : []
        if (time === undefined || from === undefined || to === undefined) return typeUnmatched
        preset = { time, from, to }
        return success
      }
    },
    6: {
      by: 'manage',
      invoke(parameters) {
        if (parameters?.type !== 'long' || Math.abs(parameters.value) > mostShift) return typeUnmatched
        device.setClock(epochMs(device.now() + parameters.value * 1000))
        return success
      }
    }
  }
}

interface Season {
  /** minutes ahead of UTC in winter */
  readonly normalOffset: number
  /** minutes that summer adds; 0 in a zone without one */
  readonly saving: number
  readonly begins: dlms.CosemDateTime
  readonly ends: dlms.CosemDateTime
}

const longestSeasonMs = 366 * 86_400_000

/** The next change to summer time and back, as the clock shows it just before it is moved. */
function seasonOf(at: EpochMs, zone: string): Season {
  const offsetNow = toLocal(at, zone).offsetMinutes
  const changes: { readonly at: EpochMs; readonly before: number; readonly after: number }[] = []
  let from = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
  while (changes.length < 2) {
    const next = from.getTimeZoneTransition('next')
    if (next === null || next.epochMilliseconds - at > longestSeasonMs) break
    const change = epochMs(next.epochMilliseconds)
    const [before, after] = [epochMs(change - 1), change].map((each) => toLocal(each, zone).offsetMinutes)
    if (before === undefined || after === undefined) break
    changes.push({ at: change, before, after })
    from = next
  }
  const begin = changes.find((each) => each.after > each.before)
  const end = changes.find((each) => each.after < each.before)
  if (begin === undefined || end === undefined) {
    return { normalOffset: offsetNow, saving: 0, begins: unspecifiedTime, ends: unspecifiedTime }
  }
  const shownBefore = (change: { readonly at: EpochMs; readonly before: number }): dlms.CosemDateTime => ({
    ...dlms.fromInstant(epochMs(change.at + change.before * minuteMs), 'UTC'),
    deviation: -change.before
  })
  return { normalOffset: begin.before, saving: begin.after - begin.before, begins: shownBefore(begin), ends: shownBefore(end) }
}
