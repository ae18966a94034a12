export { type Answer, collide, LineFaults, type TimedChunk } from './line-faults.js'
export { type Fault, FaultSchema, isLineFault, type LineFault, LineFaultSchema, type MeterFault } from './schema.js'
