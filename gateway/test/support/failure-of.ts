import { ReadFailure } from '../../src/protocols/protocol.js'

/** How a conversation failed; one that did not, or failed by something else than a coded failure, fails the test. */
export async function failureOf(conversation: Promise<unknown>): Promise<ReadFailure> {
  try {
    await conversation
  } catch (thrown) {
    if (thrown instanceof ReadFailure) return thrown
    throw thrown
  }
  throw new Error('the conversation did not fail')
}
