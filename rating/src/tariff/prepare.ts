import { AppError } from '@endeks/domain/errors'
import type { RateFunction } from './components/component.js'
import { type ComponentDefinition, componentKind } from './components/index.js'
import { type EpochDay, epochDay } from './days.js'
import type { TariffDocument } from './document.js'
import { type KdvSchedule, type KdvTable, kdvSchedule } from './kdv.js'
import { type UnitScale, unitScale } from './unit.js'

export interface PreparedComponent {
  readonly code: string
  readonly kdvClass: string
  readonly kdv: KdvSchedule
  readonly rate: RateFunction
}

/** A tariff with every text turned into an integer, ready for a million bills. */
export interface PreparedTariff {
  readonly document: TariffDocument
  readonly scale: UnitScale
  readonly validFrom: EpochDay
  /** In the document's order, which is the order of the bill's lines. */
  readonly components: readonly PreparedComponent[]
  /** Places of the components so that each comes after those whose amounts it takes. */
  readonly order: readonly number[]
}

/**
 * @param document one that `checkTariff` has passed
 * @throws {AppError} TARIFF_INVALID for a base that is not there or a cycle, RATE_SCHEDULE_GAP for a KDV class without a rate
 */
export function prepareTariff(document: TariffDocument, kdv: KdvTable): PreparedTariff {
  const scale = unitScale(document.unit)
  const table: KdvTable = { ...kdv, ...document.taxes?.kdv }
  const places = new Map(document.components.map((component, index) => [component.code, index]))
  const indexOf = (code: string): number => {
    const place = places.get(code)
    if (place === undefined) throw new AppError('TARIFF_INVALID', `there is no component "${code}"`, { component: code })
    return place
  }
  const components = document.components.map((component) => ({
    code: component.code,
    kdvClass: component.kdv,
    kdv: kdvSchedule(table, component.kdv),
    rate: kindOf(component).prepare(component, { scale, indexOf })
  }))
  return { document, scale, validFrom: epochDay(document.validFrom), components, order: ratingOrder(document.components) }
}

export function kindOf(component: ComponentDefinition): NonNullable<ReturnType<typeof componentKind>> {
  const kind = componentKind(component.kind)
  if (kind === undefined) throw new AppError('TARIFF_INVALID', `"${String(component.kind)}" is not a kind of component`)
  return kind
}

/** @throws {AppError} TARIFF_INVALID with the cycle */
function ratingOrder(components: readonly ComponentDefinition[]): number[] {
  const cycle = findCycle(components)
  if (cycle !== undefined) throw new AppError('TARIFF_INVALID', `components take each other's amounts: ${cycle.join(' > ')}`, { cycle })
  const places = new Map(components.map((component, index) => [component.code, index]))
  const order: number[] = []
  const placed = new Set<number>()
  const place = (index: number): void => {
    const component = components[index]
    if (component === undefined || placed.has(index)) return
    placed.add(index)
    for (const base of kindOf(component).bases(component)) {
      const at = places.get(base)
      if (at !== undefined) place(at)
    }
    order.push(index)
  }
  for (const index of components.keys()) place(index)
  return order
}

/** Codes of the first cycle found, the first repeated at its end; undefined when every amount can be reached. */
export function findCycle(components: readonly ComponentDefinition[]): string[] | undefined {
  const bases = new Map(components.map((component) => [component.code, kindOf(component).bases(component)]))
  const done = new Set<string>()
  const walk = (code: string, way: readonly string[]): string[] | undefined => {
    const seen = way.indexOf(code)
    if (seen >= 0) return [...way.slice(seen), code]
    if (done.has(code)) return undefined
    for (const base of bases.get(code) ?? []) {
      const cycle = walk(base, [...way, code])
      if (cycle !== undefined) return cycle
    }
    done.add(code)
    return undefined
  }
  for (const code of bases.keys()) {
    const cycle = walk(code, [])
    if (cycle !== undefined) return cycle
  }
  return undefined
}
