import type { ForeignFormat } from './format.js'
import { sparkplug } from './sparkplug/sparkplug.js'
import { thingsboard } from './thingsboard.js'

/** The languages that are taken beside our own. */
export const foreignFormats: readonly ForeignFormat[] = [thingsboard, sparkplug]

/** The language of a topic that is not our own, whoever publishes on it. */
export function foreignFormatOf(topic: string): ForeignFormat | undefined {
  return foreignFormats.find((format) => format.knows(topic))
}
