import type { DlmsData } from './data-types.js'
import { DlmsFault } from './fault.js'
import type { AttributeReference } from './get.js'
import { valueIn } from './open-get.js'
import type { GetResult } from './service-layouts.js'

/** What a conversation asked for, by attribute, and what it got. */
export class Answers {
  readonly #results = new Map<string, GetResult>()

  static #key(reference: AttributeReference): string {
    return `${reference.class}/${reference.obis}/${reference.attribute}`
  }

  /** A refusal does not take the place of a value: an attribute may be asked for again in another way. */
  set(reference: AttributeReference, result: GetResult): void {
    const key = Answers.#key(reference)
    const known = this.#results.get(key)
    if (known === undefined || 'error' in known || 'data' in result) this.#results.set(key, result)
  }

  /** @returns undefined for what was not asked for, and for what was refused */
  find(reference: AttributeReference): DlmsData | undefined {
    const result = this.#results.get(Answers.#key(reference))
    return result !== undefined && 'data' in result ? result.data : undefined
  }

  wasAsked(reference: AttributeReference): boolean {
    return this.#results.has(Answers.#key(reference))
  }

  /** @throws {DlmsFault} DLMS_INCOMPLETE for what was not asked for, DLMS_ACCESS for what was refused */
  get(reference: AttributeReference): DlmsData {
    const result = this.#results.get(Answers.#key(reference))
    if (result === undefined)
      throw new DlmsFault('DLMS_INCOMPLETE', `the conversation holds no answer for attribute ${reference.attribute} of ${reference.obis}`)
    return valueIn(reference, result)
  }
}
