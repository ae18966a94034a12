/** What others may know of the formats: which are spoken, and what kept bytes said. The API explains with it what ingest accepted. */

export {
  decodeForeignEvidence,
  type ForeignDecodeFailure,
  type ForeignReadout,
  foreignProfileHash,
  isForeignProtocol
} from './decode-evidence.js'
export { type GatewayFormat, gatewayFormats, type KeptKey, mostMappingRows } from './foreign-gateway.js'
export type { ForeignEvidence } from './format.js'
export { foreignFormatOf } from './known.js'
export { isOwnCommandFilter, isOwnDeathTopic } from './sparkplug/topic.js'
export { type KeptMessage, type Mapping, type UnmappedKey, unmappedIn } from './unmapped.js'
