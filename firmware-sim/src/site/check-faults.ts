import { type ConfigProblem, problemsOf } from '@endeks/domain/process'
import { type Fault, faultSchemas, isLineFault, type MeterFault } from '../faults/index.js'
import { momentOf } from './moment.js'
import type { SimulatedBusEntry, SimulatedMeterEntry } from './schema.js'

interface Where {
  /** of the bus or meter */
  readonly path: string
  readonly zone: string
  readonly bus: SimulatedBusEntry
  readonly meter?: SimulatedMeterEntry
}

/** What is wrong with the faults of a bus or a meter, by the schema of each and by what stands around it. */
export function problemsOfFaults(faults: readonly Fault[], where: Where): ConfigProblem[] {
  return faults.flatMap((fault, index) => {
    const path = `${where.path}/faults/${index}`
    const schema = faultSchemas.get(fault.type)
    const wrong = schema === undefined ? [] : problemsOf(schema, fault)
    if (wrong.length > 0) return wrong.map((problem) => ({ ...problem, path: problem.path === '/' ? path : `${path}${problem.path}` }))
    return [...problemsOfSchedule(fault, path, where), ...problemsOfKind(fault, path, where)]
  })
}

function problemsOfSchedule(fault: Fault, path: string, { zone }: Where): ConfigProblem[] {
  const instants = Object.entries(fault).filter(([name]) => ['from', 'to', 'at', 'setAt'].includes(name))
  const wrong = instants.filter(([, text]) => momentOf(`${text}`, zone) === undefined)
  if (wrong.length > 0) return wrong.map(([name]) => ({ path: `${path}/${name}`, message: 'is no instant of the calendar' }))
  const { from, to } = Object.fromEntries(instants.map(([name, text]) => [name, momentOf(`${text}`, zone)]))
  return from !== undefined && to !== undefined && to <= from ? [{ path: `${path}/to`, message: 'is not after from' }] : []
}

function problemsOfKind(fault: Fault, path: string, where: Where): ConfigProblem[] {
  if (!isLineFault(fault)) return where.meter === undefined ? [] : problemsOfMeterFault(fault, path, where.meter, where)
  if (fault.type !== 'foreign' || fault.address === undefined) return []
  const other = where.bus.meters.some(({ address }) => address === fault.address && address !== where.meter?.address)
  return other ? [] : [{ path: `${path}/address`, message: `"${fault.address}" is no other meter of the bus` }]
}

function problemsOfMeterFault(fault: MeterFault, path: string, meter: SimulatedMeterEntry, { zone }: Where): ConfigProblem[] {
  if (fault.type === 'wrong-key' && meter.mbus?.key === undefined && meter.dlms?.keys === undefined)
    return [{ path, message: 'is for a meter that has a key' }]
  if (fault.type !== 'exchanged') return []
  const problems: ConfigProblem[] = []
  if (BigInt(fault.initialIndex) >= 10n ** BigInt(meter.digits))
    problems.push({ path: `${path}/initialIndex`, message: `does not fit ${meter.digits} digits` })
  const [startedAt, at] = [momentOf(meter.startedAt, zone), momentOf(fault.at, zone)]
  if (startedAt !== undefined && at !== undefined && at <= startedAt)
    problems.push({ path: `${path}/at`, message: 'is not after startedAt' })
  if (fault.serial === meter.serial) problems.push({ path: `${path}/serial`, message: 'is that of the meter before' })
  return problems
}
