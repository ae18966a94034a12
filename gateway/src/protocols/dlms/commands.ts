import type { EpochMs } from '@endeks/domain/time'
import type { Apdu } from './codec/apdu.js'
import { cutBlocks } from './codec/blocks.js'
import { allows, type ConformanceBit } from './codec/conformance.js'
import { checkInvoke, refusal } from './codec/conversation.js'
import type { DlmsData } from './codec/data-types.js'
import { fromInstant } from './codec/date-time.js'
import { actionResults } from './codec/describe-service.js'
import { DlmsFault } from './codec/fault.js'
import { type AttributeReference, dataAccessResults } from './codec/get.js'
import { valueIn } from './codec/open-get.js'
import { clockReference, dateTimeOctets } from './codec/selective-access.js'
import type { ActionResult, MethodTarget, Piece } from './codec/service-layouts.js'
import { encodeData } from './codec/value.js'
import type { Dialogue, Session } from './session.js'

/** Tag, kind, invoke, target and its access selection; and what ciphering puts around an APDU. */
const bytesAround = 48

/** The value in pieces, where it does not fit into one APDU of this meter. @throws {DlmsFault} DLMS_CONFORMANCE when it takes no pieces */
function piecesOf(session: Session, value: DlmsData, granting: ConformanceBit): readonly Piece[] | undefined {
  const { maxPduSize, conformance } = session.association
  const encoded = encodeData(value)
  if (maxPduSize === 0 || encoded.length + bytesAround <= maxPduSize) return undefined
  if (!allows(conformance, granting))
    throw new DlmsFault('DLMS_CONFORMANCE', `${encoded.length} bytes do not fit into one APDU, and the meter does not grant "${granting}"`)
  const blocks = cutBlocks(encoded, maxPduSize - bytesAround)
  return blocks.map((raw, index) => ({ last: index === blocks.length - 1, block: index + 1, raw }))
}

/** Holds the confirmation of a block against the one that was sent. */
function checkBlock(sent: Piece, block: number): void {
  if (block !== sent.block) throw new DlmsFault('DLMS_BLOCK', `block ${block} was confirmed where ${sent.block} had been sent`)
}

/**
 * Writes an attribute, in blocks where it takes them.
 *
 * @throws {DlmsFault} DLMS_ACCESS when the meter refuses it, DLMS_BLOCK, DLMS_INVOKE_ID, and as `refusal`
 */
export function* set(session: Session, target: AttributeReference, value: DlmsData): Dialogue {
  const { class: objectClass, obis, attribute } = target
  const reference = { class: objectClass, obis, attribute }
  const invoke = session.invoke()
  const pieces = piecesOf(session, value, 'block-transfer-with-set-or-write')
  if (pieces === undefined) {
    const response = yield { apdu: 'set-request-normal', invoke, attribute: reference, value }
    if (response.apdu !== 'set-response-normal') throw refusal('a SET response', response)
    checkInvoke({ invoke }, response)
    return checkSet(reference, response.result)
  }
  for (const piece of pieces) {
    const first = piece.block === 1
    const response: Apdu = yield first
      ? { apdu: 'set-request-with-first-datablock', invoke, attribute: reference, piece }
      : { apdu: 'set-request-with-datablock', invoke, piece }
    if (response.apdu === 'set-response-datablock' && !piece.last) {
      checkInvoke({ invoke }, response)
      checkBlock(piece, response.block)
      continue
    }
    // A meter may refuse the whole at any block, and does so as for the last one.
    if (response.apdu !== 'set-response-last-datablock' && response.apdu !== 'set-response-normal')
      throw refusal('a SET response', response)
    checkInvoke({ invoke }, response)
    checkSet(reference, response.result)
    if (!piece.last) throw new DlmsFault('DLMS_BLOCK', `the meter was satisfied with block ${piece.block} of ${pieces.length}`)
  }
}

function checkSet({ obis, attribute }: AttributeReference, result: number): void {
  if (result === 0) return
  const why = dataAccessResults.get(result) ?? `result ${result}`
  throw new DlmsFault('DLMS_ACCESS', `the meter does not let attribute ${attribute} of ${obis} be set: ${why}`)
}

/**
 * Executes a method, its parameters in blocks where they take them.
 *
 * @returns what the method gives back, undefined where it gives nothing
 * @throws {DlmsFault} DLMS_ACCESS when the meter refuses it, DLMS_BLOCK, DLMS_INVOKE_ID, and as `refusal`
 */
export function* execute(session: Session, method: MethodTarget, parameters?: DlmsData): Dialogue<DlmsData | undefined> {
  const invoke = session.invoke()
  const pieces = parameters === undefined ? undefined : piecesOf(session, parameters, 'block-transfer-with-action')
  if (pieces === undefined) {
    return accepted(method, invoke, yield { apdu: 'action-request-normal', invoke, method, parameters })
  }
  for (const piece of pieces) {
    const first = piece.block === 1
    const response: Apdu = yield first
      ? { apdu: 'action-request-with-first-pblock', invoke, method, piece }
      : { apdu: 'action-request-with-pblock', invoke, piece }
    if (piece.last || response.apdu !== 'action-response-next-pblock') return accepted(method, invoke, response)
    checkInvoke({ invoke }, response)
    checkBlock(piece, response.block)
  }
  return undefined
}

function accepted(method: MethodTarget, invoke: number, response: Apdu): DlmsData | undefined {
  if (response.apdu !== 'action-response-normal') throw refusal('an ACTION response', response)
  checkInvoke({ invoke }, response)
  const { result, returned }: ActionResult = response.response
  if (result !== 0) {
    const why = actionResults.get(result) ?? `result ${result}`
    throw new DlmsFault('DLMS_ACCESS', `the meter does not execute method ${method.method} of ${method.obis}: ${why}`)
  }
  if (returned === undefined) return undefined
  return valueIn({ class: method.class, obis: method.obis, attribute: method.method }, returned)
}

/** Sets the meter's clock to an instant, in the local time of its zone with the deviation. @throws {DlmsFault} as `set` */
export function* setClock(session: Session, { at, zone }: { readonly at: EpochMs; readonly zone: string }): Dialogue {
  yield* set(session, clockReference, dateTimeOctets(fromInstant(at, zone)))
}
