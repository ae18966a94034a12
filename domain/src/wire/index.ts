export {
  type AckMessage,
  AckMessageSchema,
  type AckState,
  ackMessageOf,
  ackStates,
  type CommandKind,
  type CommandMessage,
  CommandMessageSchema,
  CreditParameters,
  commandKinds,
  isDeclared,
  NoParameters,
  parseAckMessage,
  parseCommandMessage,
  repeatableKinds,
  ValveParameters
} from './commands.js'
export {
  evidenceBytes,
  type LossMessage,
  LossMessageSchema,
  type ProfileMessage,
  ProfileMessageSchema,
  type ReadingsMessage,
  ReadingsMessageSchema,
  type WireExchange,
  wireVersion
} from './messages.js'
export { jsonOf } from './parse.js'
export {
  type ColumnarReadings,
  columnarOf,
  columnsOf,
  encodeReadings,
  lossMessageOf,
  type ParsedReadings,
  parseLossMessage,
  parseProfileMessage,
  parseReadings,
  profileMessageOf,
  type ReadingColumns,
  readingsOf
} from './readings.js'
export { parseTopic, type TopicKind, topicFor, topicKinds } from './topics.js'
