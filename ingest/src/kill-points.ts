/**
 * Called by name at the places where a process may die: where the transaction of a batch ends, where a message is acknowledged,
 * and once between the statements of each kind of transaction, as all that is open rolls back alike. A killed process proves there that
 * nothing acknowledged is lost and nothing is done twice; otherwise it does nothing.
 */
export type KillPoint = (name: KillPointName) => void

export const killPoints = [
  'accept:exchanges',
  'accept:before-commit',
  'accept:after-commit',
  'broker:before-acknowledge',
  'vee:inserted',
  'adopt:inserted',
  'downlink:claimed',
  'downlink:taken',
  'mirror:before-write',
  'mirror:written',
  'mirror:before-cursor'
] as const
export type KillPointName = (typeof killPoints)[number]

export const noKillPoint: KillPoint = () => undefined
