import type { EpochMs } from '@endeks/domain/time'
import type { Apdu } from './codec/apdu.js'
import { applicationContexts } from './codec/association-fields.js'
import { allows, conformance } from './codec/conformance.js'
import { acceptAssociation, OpenGet } from './codec/conversation.js'
import type { DlmsData } from './codec/data-types.js'
import { profileGeneric, registerAttribute } from './codec/evidence.js'
import { type AttributeReference, invokeBits, type SelectiveAccess } from './codec/get.js'
import { dlmsVersion } from './codec/initiate.js'
import type { DlmsProfile } from './codec/profile.js'
import { rangeByClock } from './codec/selective-access.js'

/** What one conversation is to bring. */
export interface Conversation {
  readonly profile: DlmsProfile
  readonly zone: string
  readonly want: { readonly kind: 'current' } | { readonly kind: 'history'; readonly since: EpochMs }
  /** the gateway's clock: end of the range that is asked for */
  readonly now: EpochMs
}

/** Gives requests, takes their responses: who carries them is none of its business. */
export type Dialogue<Value = void> = Generator<Apdu, Value, Apdu>

/** Longest APDU that this client takes: what a wrapper frame can carry. */
const clientPduSize = 0xffff

const proposal = conformance('get', 'selective-access', 'block-transfer-with-get-or-read')

/** AARQ for logical names, lowest level security: what the public client (wPort 16) may do with every meter. */
export function associationRequest(): Apdu {
  return {
    apdu: 'aarq',
    applicationContextName: applicationContexts.logicalNames,
    userInformation: {
      apdu: 'initiate-request',
      responseAllowed: true,
      dlmsVersion,
      conformance: proposal,
      maxPduSize: clientPduSize
    }
  }
}

/**
 * One conversation from AARQ to RLRQ: identity, then scaler, unit and value of each register, then, for history, the load
 * profile. Everything that turns the bytes into readings is asked for here, so the evidence needs nothing beside it.
 *
 * @throws {DlmsFault} as soon as an answer cannot be used
 */
export function* converse({ profile, zone, want, now }: Conversation): Dialogue {
  const association = acceptAssociation(yield associationRequest())
  const invocations = invocationBytes()
  yield* get(invocations, profile.identity)
  for (const register of profile.registers) {
    yield* get(invocations, { ...register, attribute: registerAttribute.scalerUnit })
    yield* get(invocations, { ...register, attribute: registerAttribute.value })
  }
  const buffer = profile.profileBuffer
  if (want.kind === 'history' && buffer !== undefined) {
    const reference = { class: profileGeneric.class, obis: buffer.obis, attribute: profileGeneric.buffer }
    // A meter without selective access gives its whole buffer: more than asked, and nothing is booked twice.
    const ranged = allows(association.conformance, 'selective-access')
    yield* get(invocations, reference, ranged ? rangeByClock({ from: want.since, to: now, zone }) : undefined)
  }
  yield { apdu: 'rlrq', reason: 0 }
}

/** Invoke-ids 1 to 15 in turn, confirmed, high priority. */
function* invocationBytes(): Generator<number, never> {
  for (let id = 1; ; id = (id % invokeBits.id) + 1) yield invokeBits.highPriority | invokeBits.confirmed | id
}

function* get(invocations: Generator<number, never>, reference: AttributeReference, access?: SelectiveAccess): Dialogue<DlmsData> {
  const { class: objectClass, obis, attribute } = reference
  const invoke = invocations.next().value
  const open = new OpenGet({ apdu: 'get-request-normal', invoke, class: objectClass, obis, attribute, ...(access ? { access } : {}) })
  let data = open.accept(yield open.request)
  while (data === undefined) data = open.accept(yield open.next())
  return data
}
