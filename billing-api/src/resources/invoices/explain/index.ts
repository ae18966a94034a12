import { AppError } from '@endeks/domain/errors'
import { formatMicro } from '@endeks/domain/money'
import { epochMs, toIso } from '@endeks/domain/time'
import type { ApiContext } from '../../../context.js'
import { hex, indexOf, quantityOf } from '../../../wire.js'
import { type FrozenIndex, type FrozenInput, type FrozenRegister, readFrozen } from '../frozen.js'
import { frozenIndex, toLine } from '../present.js'
import type { Explanation } from '../schema.js'
import { getInvoice, linesOf } from '../store/detail.js'
import { type AccrualRow, evidenceOf, getAccrual } from '../store/evidence.js'
import { billedIndexes, bytesLink, decodingLink, prove } from './evidence.js'
import { keysOfExchanges } from './keys.js'
import { consumptionLink, indexLink, inputLink, tariffLink } from './links.js'
import { componentOf, priceLink } from './price.js'

/**
 * One line of an invoice down to the bytes that its meters sent, each link proved when it is asked for: nothing is looked up
 * that was noted as proved before.
 *
 * @param reference a surrogate id or the number on the paper
 * @throws {AppError} INVOICE_NOT_FOUND, INVOICE_LINE_NOT_FOUND; EVIDENCE_MISSING when the bill's own record is not there
 */
export async function explainLine({ pool: database, vault }: ApiContext, reference: string, lineNo: number): Promise<Explanation> {
  const invoice = await getInvoice(database, reference)
  const line = (await linesOf(database, invoice.id)).find((each) => each.line_no === lineNo)
  if (line === undefined) throw new AppError('INVOICE_LINE_NOT_FOUND', `the invoice ${invoice.label} has no line ${lineNo}`)
  const { content, content_hash: contentHash } = invoice
  if (content === null || contentHash === null) {
    throw new AppError('EVIDENCE_MISSING', `the frozen inputs of ${invoice.label} are not there`)
  }
  const frozen = readFrozen(content)
  const accrual = await getAccrual(database, line.accrual_id)
  const indexes = billedIndexes(frozen)
  const exchanges = [...new Set(indexes.flatMap((index) => index.exchange ?? []))]
  const rows = await evidenceOf(database, exchanges)
  const keys = await keysOfExchanges(database, vault, rows, indexes)
  const proofs = rows.map((row) => prove(row, indexes, keys.get(row.exchange)))
  return {
    invoice: { id: invoice.id.toString(), label: invoice.label },
    line: toLine(line, accrual.unit),
    accrual: toAccrual(accrual, invoice.days ?? 0),
    tariff: {
      code: accrual.code,
      version: accrual.version,
      validFrom: accrual.valid_from,
      hash: hex(accrual.tariff_hash),
      component: componentOf(accrual.document, line.component)
    },
    supplies: frozen.supplies.map((supply) => toSupply(supply, frozen.unit)),
    evidence: proofs.map((proof) => proof.evidence),
    chain: [
      priceLink({ line, accrual, frozen }),
      tariffLink(accrual),
      inputLink(content, contentHash),
      consumptionLink(accrual, frozen),
      indexLink(frozen),
      bytesLink(indexes, proofs),
      decodingLink(indexes, proofs)
    ]
  }
}

function toAccrual(accrual: AccrualRow, days: number): Explanation['accrual'] {
  return {
    id: accrual.id.toString(),
    date: accrual.accrual_date,
    from: toIso(accrual.from_at),
    to: toIso(accrual.to_at),
    days,
    consumption: quantityOf(accrual.consumption_milli, accrual.unit),
    net: formatMicro(accrual.net_micro)
  }
}

function toSupply(supply: FrozenInput['supplies'][number], unit: string): Explanation['supplies'][number] {
  const amount = supply.registers.reduce((sum, register) => sum + BigInt(register.amount), 0n)
  return {
    servicePoint: supply.servicePoint,
    sign: supply.sign,
    share: supply.share,
    amount: quantityOf(amount, unit),
    registers: supply.registers.map((register) => toRegister(register, unit))
  }
}

function toRegister(register: FrozenRegister, unit: string): Explanation['supplies'][number]['registers'][number] {
  return {
    meter: register.meter,
    obis: register.obis,
    opening: toPoint(register.opening),
    closing: toPoint(register.closing),
    amount: quantityOf(BigInt(register.amount), unit),
    segments: register.segments.map((segment) => ({
      from: toIso(epochMs(segment.from)),
      to: toIso(epochMs(segment.to)),
      amount: quantityOf(BigInt(segment.amount), unit),
      fromIndex: indexOf(BigInt(segment.fromRaw), segment.scaler, segment.unit),
      toIndex: indexOf(BigInt(segment.toRaw), segment.scaler, segment.unit),
      quality: segment.quality,
      rule: segment.rule
    }))
  }
}

function toPoint(index: FrozenIndex): Explanation['supplies'][number]['registers'][number]['opening'] {
  return {
    at: toIso(epochMs(index.at)),
    index: frozenIndex(index),
    raw: index.raw,
    scaler: index.scaler,
    source: index.source,
    evidence: index.evidence,
    exchange: index.exchange
  }
}
