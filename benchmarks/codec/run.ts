import { type Comparison, compare } from '../measure.js'
import { readFramed, readWrapped } from './dlms.js'
import { loadProfile } from './dlms-blocks.js'
import { readFramedNaively, readWrappedNaively } from './dlms-naive.js'
import { readAll } from './mbus.js'
import { heatMeterFrames, medianBytes } from './mbus-frames.js'
import { readAllNaively } from './mbus-naive.js'
import { overRtu, overTcp, readCounters, readCountersNaively } from './modbus.js'

const rounds = 7
const figures: Record<string, number> = {}
const limit: Record<string, number> = {}
const ratio: Record<string, number> = {}

/** @param unit what a piece of work is worth in the figure's unit */
function measure(name: string, comparison: Omit<Comparison, 'rounds'>, unit = 1): void {
  const speeds = compare({ ...comparison, rounds })
  figures[name] = Number((speeds.subject * unit).toPrecision(4))
  limit[name] = Number((speeds.limit * unit).toPrecision(4))
  ratio[name] = Number((speeds.subject / speeds.limit).toFixed(3))
}

const frames = heatMeterFrames(64)
if (frames.some((frame) => frame.length !== medianBytes)) throw new RangeError(`a frame has not ${medianBytes} bytes`)
measure('mbusFramesPerSecond', { subject: readAll(frames), limit: readAllNaively(frames), count: 50_000 })

for (const [name, form] of [['Structures', 'structures'] as const, ['CompactArray', 'compact array'] as const]) {
  const { wrapper, hdlc, apduBytes } = loadProfile(form)
  const megabytes = apduBytes / 1e6
  measure(`dlmsWrapper${name}MBPerSecond`, { subject: readWrapped(wrapper), limit: readWrappedNaively(wrapper), count: 600 }, megabytes)
  measure(`dlmsHdlc${name}MBPerSecond`, { subject: readFramed(hdlc), limit: readFramedNaively(hdlc), count: 600 }, megabytes)
}

measure('modbusTcpAnswersPerSecond', { subject: readCounters(overTcp), limit: readCountersNaively('tcp', overTcp), count: 5_000 })
measure('modbusRtuAnswersPerSecond', { subject: readCounters(overRtu), limit: readCountersNaively('rtu', overRtu), count: 5_000 })

console.log(JSON.stringify({ question: 'codec', figures, limit, ratio }))
