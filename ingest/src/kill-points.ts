/**
 * Called by name at the places where a process may die: before, between and after each statement and commit. A killed process
 * proves there that nothing acknowledged is lost and nothing is done twice; otherwise it does nothing.
 */
export type KillPoint = (name: KillPointName) => void

export const killPoints = [
  'accept:begun',
  'accept:readings',
  'accept:conflicts',
  'accept:unassigned',
  'accept:exchanges',
  'accept:sequences',
  'accept:profiles',
  'accept:dead-letters',
  'accept:before-commit',
  'accept:after-commit',
  'broker:before-acknowledge',
  'vee:claimed',
  'vee:superseded',
  'vee:inserted',
  'vee:exceptions',
  'vee:before-commit',
  'vee:after-commit',
  'adopt:inserted',
  'adopt:marked'
] as const
export type KillPointName = (typeof killPoints)[number]

export const noKillPoint: KillPoint = () => undefined
