import { mbus } from '@endeks/gateway/codec'

/** Control fields that a master sends (EN 13757-2, after IEC 60870-5-2), without the frame count bit and its validity. */
const functionMask = 0x0f
const frameCountValid = 0x10

/** What a master asks of a slave's link layer; `undefined` is nothing that a meter answers. */
export function functionOf(control: number): 'reset' | 'send' | 'class-1' | 'class-2' | undefined {
  const code = control & functionMask
  if (code === 0x00) return 'reset'
  if (code === 0x03) return 'send'
  if (code === 0x0a) return 'class-1'
  return code === 0x0b ? 'class-2' : undefined
}

/**
 * One link of a slave: which request it answered last. A request with the frame count bit of the one before is that request
 * again, for the master did not hear the answer: the same answer goes out, and nothing is done twice.
 */
export class SlaveLink {
  #last: { readonly control: number; readonly answer: Uint8Array } | undefined

  reset(): void {
    this.#last = undefined
  }

  /** @param answered makes the answer to a request that is new */
  answer(control: number, answered: () => Uint8Array): Uint8Array {
    if ((control & frameCountValid) !== 0 && this.#last?.control === control) return this.#last.answer
    const answer = answered()
    this.#last = { control, answer }
    return answer
  }
}

export const acknowledgement = Uint8Array.of(mbus.acknowledge)
