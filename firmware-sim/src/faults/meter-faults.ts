import type { EpochMs } from '@endeks/domain/time'
import { strikes } from './schedule.js'
import type { MeterFault } from './schema.js'

export interface MeterFaultsOptions {
  readonly seed: number
  readonly address: string
  readonly faults: readonly MeterFault[]
}

/** What is wrong with one readout of a meter. */
export interface Ailment {
  readonly lies: ReadonlySet<'index' | 'date'>
  readonly wrongKey: boolean
  /** the code of the error that it answers with */
  readonly applicationError: number | undefined
}

/** The faults of a meter that show in what it says, not in how it arrives. */
export class MeterFaults {
  readonly #options: MeterFaultsOptions

  constructor(options: MeterFaultsOptions) {
    this.#options = options
  }

  /** @param count of the meter's readouts, 1 for the first */
  at(count: number, at: EpochMs): Ailment {
    const lies = new Set<'index' | 'date'>()
    let wrongKey = false
    let applicationError: number | undefined
    const { seed, address, faults } = this.#options
    for (const [index, fault] of faults.entries()) {
      if (fault.type === 'clock-drift' || fault.type === 'exchanged') continue
      if (!strikes(fault, `${index} ${fault.type}`, { seed, address, count, at })) continue
      if (fault.type === 'lie') lies.add(fault.about)
      else if (fault.type === 'wrong-key') wrongKey = true
      else applicationError = fault.code
    }
    return { lies, wrongKey, applicationError }
  }
}
