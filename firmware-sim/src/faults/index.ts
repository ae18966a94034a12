export { type DeviceClock, driftingClock, trueClock } from './device-clock.js'
export { type Answer, collide, LineFaults, type TimedChunk } from './line-faults.js'
export { type Ailment, MeterFaults } from './meter-faults.js'
export { type Fault, FaultSchema, faultSchemas, isLineFault, type LineFault, LineFaultSchema, type MeterFault } from './schema.js'
