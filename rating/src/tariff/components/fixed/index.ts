import { parseMicro } from '@endeks/domain/money'
import { Amount } from '../../text.js'
import { type ComponentKind, componentSchema, type Priced, type RateFunction, type Terms } from '../component.js'
import { amountPer, Per } from '../period.js'

const FixedComponent = componentSchema('fixed', { amount: Amount, per: Per })

/** A charge that consumption does not move: maintenance, meter rent, a service fee. */
export const fixed: ComponentKind<typeof FixedComponent> = {
  schema: FixedComponent,
  bases: () => [],
  problems: () => [],
  prepare: (component): RateFunction => {
    const micro = parseMicro(component.amount)
    const per = component.per
    return (terms) => rate(per, micro, terms)
  }
}

function rate(per: Per, micro: bigint, terms: Terms): Priced {
  return { quantity: null, slices: [], amount: amountPer(per, micro, terms), share: null }
}
