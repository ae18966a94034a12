export { type ImportedKeys, keyNamePattern, parseKeyFile } from '../keys/key-file/index.js'
export { changeOf, HeldKeys, type KeyHistory, type KeyLabel, openSecrets, type Secrets, sealSecrets } from '../keys/secrets.js'
export * as dlms from '../protocols/dlms/codec/index.js'
export * as mbus from '../protocols/mbus/codec/index.js'
export * as modbus from '../protocols/modbus/codec/index.js'
export type {
  DecodeFailure,
  Evidence,
  Exchange,
  FrameContext,
  KeyKind,
  MeterKeys,
  MeterReadout,
  ProtocolCodec
} from '../protocols/protocol.js'
export { keyKinds } from '../protocols/protocol.js'
export { canonicalJson, profileHash } from './canonical-json.js'
export { codecs, decodeEvidence } from './registry.js'
