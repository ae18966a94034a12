import { parseArgs } from 'node:util'

/** What of the benchmark is run, and how much. */
export interface Options {
  /** readings that are stored before, of all registers at so many ticks */
  readonly storedTicks: number
  /** of every register, in the loads of 100 and 500 readings a message; a multiple of five, as a load profile's answer tells five instants */
  readonly ticks: number
  /** of every register, one reading a message */
  readonly singleTicks: number
  readonly rounds: number
  /** unacknowledged messages of a connection at most; the gateway's own is 20 */
  readonly window: number
  readonly peers: boolean
  readonly validation: boolean
  readonly keep: boolean
}

const full = { storedTicks: 100, ticks: 10, singleTicks: 2, rounds: 3 }
const quick = { storedTicks: 5, ticks: 5, singleTicks: 1, rounds: 1 }

export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      window: { type: 'string' },
      'stored-ticks': { type: 'string' },
      ticks: { type: 'string' },
      peers: { type: 'boolean', default: true },
      validation: { type: 'boolean', default: true },
      keep: { type: 'boolean', default: false }
    },
    allowNegative: true
  })
  const size = values.quick ? quick : full
  if (whole(values.ticks, size.ticks) % 5 !== 0) throw new RangeError('--ticks is a multiple of five')
  return {
    storedTicks: whole(values['stored-ticks'], size.storedTicks),
    ticks: whole(values.ticks, size.ticks),
    singleTicks: size.singleTicks,
    rounds: whole(values.rounds, size.rounds),
    window: whole(values.window, 20),
    peers: values.peers,
    validation: values.validation,
    keep: values.keep
  }
}

function whole(given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : Number(given)
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`"${given}" is no count`)
  return value
}
