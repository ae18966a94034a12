export { type LoadShape, LoadShapeSchema } from '../load-shapes/index.js'
export { checkSimulatedSite } from './check.js'
export { type SimulatedMeterEntry, type SimulatedSite, SimulatedSiteSchema } from './schema.js'
export { type RunningSite, simulatedMeter, startSite } from './start.js'
