import type { MeterKeys } from '../../protocol.js'
import { Answers } from './answers.js'
import { type Apdu, readApdu } from './apdu.js'
import { type ApduStream, readStream } from './apdu-stream.js'
import { applicationContexts } from './association-fields.js'
import { CipherContext, isCiphered } from './cipher-context.js'
import { systemTitleSize } from './ciphered.js'
import { acceptAssociation } from './conversation.js'
import { DlmsFault } from './fault.js'
import { OpenGet } from './open-get.js'
import type { AssociationPlan } from './profile.js'
import { openApdu, titleIn } from './secure-channel.js'

/** Everything that opening a recorded conversation depends on. */
export interface Recorded {
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly plan?: AssociationPlan
  readonly keys?: MeterKeys
}

/** The meter's two keys. @throws {DlmsFault} DLMS_KEY naming the one that is missing, never a key */
export function pairOfKeys(keys: MeterKeys | undefined): { readonly encryption: Uint8Array; readonly authentication: Uint8Array } {
  const { encryption, authentication } = keys?.secrets ?? {}
  const missing = encryption === undefined ? 'encryption' : 'authentication'
  if (encryption === undefined || authentication === undefined)
    throw new DlmsFault('DLMS_KEY', `the association is ciphered, and there is no ${missing} key for the meter`)
  return { encryption, authentication }
}

/** Opens what either side sent, by the keys, the system titles of AARQ and AARE, and the dedicated key inside the AARQ. */
class Opener {
  readonly #client: CipherContext
  readonly #server: CipherContext

  constructor(plan: AssociationPlan, keys: MeterKeys | undefined) {
    const { encryption: global, authentication } = pairOfKeys(keys)
    const required = plan.protection === 'none' ? 'both' : plan.protection
    const options = { keys: { global, authentication }, ownTitle: new Uint8Array(systemTitleSize), required } as const
    this.#client = new CipherContext(options)
    this.#server = new CipherContext(options)
  }

  request(apdu: Apdu): Apdu {
    if (apdu.apdu !== 'aarq') return openApdu(this.#client, apdu)
    this.#client.learn({ peerTitle: titleIn(apdu.callingApTitle) })
    const opened = openApdu(this.#client, apdu)
    const dedicated = opened.apdu === 'aarq' && opened.userInformation?.apdu === 'initiate-request' && opened.userInformation.dedicatedKey
    for (const context of [this.#client, this.#server]) context.learn(dedicated ? { dedicated } : {})
    return opened
  }

  response(apdu: Apdu): Apdu {
    if (apdu.apdu === 'aare' && apdu.result === 0) this.#server.learn({ peerTitle: titleIn(apdu.respondingApTitle) })
    return openApdu(this.#server, apdu)
  }
}

/**
 * Goes through a recorded conversation again: opens it where it is ciphered, pairs requests with responses in order, for there
 * is never more than one request without its answer, and gives what was asked for.
 *
 * @throws {DlmsFault} for the first thing that does not hold together
 */
export function replay({ request, response, plan, keys }: Recorded): Answers {
  const commands = readStream(request, 'command')
  const replies = readStream(response, 'response')
  checkEnds(commands, replies)
  const requests = commands?.apdus ?? []
  const responses = replies?.apdus ?? []
  if (responses.length > requests.length) throw new DlmsFault('DLMS_UNEXPECTED', 'the conversation holds more answers than requests')
  const ciphered = plan !== undefined && plan.protection !== 'none'
  const opener = ciphered ? new Opener(plan, keys) : undefined
  const context = ciphered ? applicationContexts.logicalNamesCiphered : applicationContexts.logicalNames
  const answers = new Answers()
  let associated = false
  let open: OpenGet | undefined
  for (const [index, asked] of requests.entries()) {
    const sent = readApdu(asked)
    // A meter that hangs up on the release, or answers it with what is no APDU, has said everything before.
    if (sent.apdu === 'rlrq') break
    const answered = responses[index]
    if (answered === undefined) throw new DlmsFault('DLMS_INCOMPLETE', `request ${index + 1} (${sent.apdu}) has no answer`)
    const came = readApdu(answered)
    const plain = opener === undefined ? sent : opener.request(sent)
    const answer = opener === undefined ? came : opener.response(came)
    if (plain.apdu === 'aarq') {
      acceptAssociation(answer, ['get'], context)
      associated = true
      continue
    }
    if (!associated) throw new DlmsFault('DLMS_INCOMPLETE', 'the conversation does not begin with an association')
    // The answer to a challenge, or a clock that was set: they bring no reading.
    if (isCommand(plain)) continue
    open = openedBy(plain, open)
    const results = open.accept(answer)
    if (results === undefined) continue
    for (const [at, result] of results.entries()) {
      const target = open.targets[at]
      if (target !== undefined) answers.set(target, result)
    }
    open = undefined
  }
  return answers
}

function checkEnds(asked: ApduStream | undefined, answered: ApduStream | undefined): void {
  if (asked === undefined || answered === undefined) return
  if (asked.from === answered.to && asked.to === answered.from) return
  const got = `from ${answered.from} to ${answered.to}`
  throw new DlmsFault('DLMS_WRONG_PORT', `a frame ${got} stands where ${asked.to} answers ${asked.from}`)
}

function isCommand(apdu: Apdu): boolean {
  return apdu.apdu.startsWith('action-request') || apdu.apdu.startsWith('set-request')
}

function openedBy(request: Apdu, open: OpenGet | undefined): OpenGet {
  if ((request.apdu === 'get-request-normal' || request.apdu === 'get-request-with-list') && open === undefined) return new OpenGet(request)
  if (request.apdu === 'get-request-next' && open !== undefined) return open
  if (isCiphered(request)) throw new DlmsFault('DLMS_UNSUPPORTED', `${request.apdu} stands in a conversation whose profile names no key`)
  throw new DlmsFault('DLMS_UNEXPECTED', `${request.apdu} is not a request that can stand here`)
}
