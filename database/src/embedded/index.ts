export type { ServerExit } from './server.js'
export { type EmbeddedOptions, type EmbeddedServer, startEmbedded } from './start.js'
