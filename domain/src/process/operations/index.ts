export { by, type Metrics, type MetricWords, one, type Sample } from './metrics.js'
export { type Check, Operations } from './server.js'
export { loadOperationsSettings, type OperationsSettings, operationsNames, operationsSettings } from './settings.js'
