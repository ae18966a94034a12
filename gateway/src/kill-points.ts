/**
 * Called by name at the places where a gateway may die: around each write of the spool, where a message is on the wire and where it is
 * acknowledged, between the steps in which a spool is opened again or set aside, and between the steps of a command. A killed process
 * proves there that nothing that is on disk is lost and no command is done twice; otherwise it does nothing.
 */
export type KillPoint = (name: KillPointName) => void

export const killPoints = [
  'append.before',
  'append.written',
  'trim.before',
  'trim.written',
  'loss.before-forgetting',
  'loss.forgotten',
  'uplink.sent',
  'uplink.acknowledged',
  'full.closed',
  'damage.aside',
  'damage.salvaged',
  'command.received',
  'command.kept',
  'command.started',
  'command.executed',
  'command.answered',
  'answer.acknowledged'
] as const
export type KillPointName = (typeof killPoints)[number]

export const noKillPoint: KillPoint = () => undefined
