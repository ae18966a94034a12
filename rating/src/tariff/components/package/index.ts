import { exactOf, parseMicro } from '@endeks/domain/money'
import { parseScaled } from '@endeks/domain/units'
import Type from 'typebox'
import type { Problem } from '../../problem.js'
import { Amount, Quantity3 } from '../../text.js'
import { type ComponentKind, componentSchema, type RateFunction } from '../component.js'

const PackageComponent = componentSchema('package', { size: Quantity3, free: Type.Optional(Quantity3), price: Amount })

/** Sold by the package: what is begun is paid, after what is free. Only where a tariff says so; water and energy go by tiers. */
export const packages: ComponentKind<typeof PackageComponent> = {
  schema: PackageComponent,
  bases: () => [],
  problems: (component): Problem[] =>
    parseScaled(component.size, 3, 'TARIFF_INVALID') === 0n ? [{ path: '/size', message: 'a package holds more than nothing' }] : [],
  prepare: (component, { scale }): RateFunction => {
    const size = parseScaled(component.size, scale.places, 'TARIFF_INVALID')
    const free = parseScaled(component.free ?? '0', scale.places, 'TARIFF_INVALID')
    const micro = parseMicro(component.price)
    return ({ quantity, before }) => {
      const count = begun(before + quantity - free, size) - begun(before - free, size)
      return { quantity, slices: [], amount: exactOf(count * micro), share: null }
    }
  }
}

function begun(quantity: bigint, size: bigint): bigint {
  return quantity > 0n ? (quantity + size - 1n) / size : 0n
}
