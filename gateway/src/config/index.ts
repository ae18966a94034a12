export { checkGatewaySite, type GatewaySite, type KeyNames, loadGatewaySite, type SiteBus, type SiteMeter } from './check.js'
export { loadProfiles, type Profile, type Profiles, shippedProfiles } from './profiles.js'
export { type GatewaySiteFile, GatewaySiteSchema } from './schema.js'
