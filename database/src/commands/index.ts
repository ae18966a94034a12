export { type AwaitOptions, awaitCommand, resultOf } from './await.js'
export { type Command, type CommandOwner, type CommandState, commandOwners, enqueue, type NewCommand, readCommand } from './rows.js'
export {
  type CommandContext,
  type CommandHandler,
  type CommandServer,
  type LongRunningHandler,
  type ServeOptions,
  serveCommands
} from './serve.js'
export { Bell, type ListenOptions, listen } from './wake.js'
