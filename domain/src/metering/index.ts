export { type DeviceIdentity, formatIdentity } from './identity.js'
export { isObis, type Obis, obis } from './obis.js'
export { type Quality, qualities } from './quality.js'
export { type MeterReading, type ReadingSource, readingSources, statusBits } from './reading.js'
