export { formatScaled, parseScaled } from './decimal.js'
export { isMeterUnit, type MeterUnit, meterUnits, rawToMilli } from './meter-unit.js'
export { formatQuantity, isQuantityUnit, type Quantity, type QuantityUnit, quantity } from './quantity.js'
