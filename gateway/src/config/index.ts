export { checkGatewaySite, type GatewaySite, loadGatewaySite, type SiteBus, type SiteMeter } from './check.js'
export { loadProfiles, type Profile, type Profiles, shippedProfiles } from './profiles.js'
export { type GatewaySiteFile, GatewaySiteSchema } from './schema.js'
