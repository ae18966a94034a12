import { type EpochMs, fromIso } from '@endeks/domain/time'

/**
 * What an end that contradicts the standing one means: a single fact is told once, so another end is refused; a site's file
 * is told again and again, and the day on which something ended is written into it later.
 */
export interface Ending {
  readonly mayEnd: boolean
}

/**
 * Whether a fact that is wanted until `to` contradicts the standing one. Without an end it does not: whoever wrote it did not
 * know one, and what was ended since stays ended.
 */
export function endDiffers(to: string | undefined, standing: EpochMs | null, { mayEnd }: Ending): boolean {
  if (to === undefined) return false
  return standing === null ? !mayEnd : fromIso(to) !== standing
}

/** Whether the wanted fact says of an open-ended one when it ended. */
export function endsIt(to: string | undefined, standing: EpochMs | null): boolean {
  return to !== undefined && standing === null
}
