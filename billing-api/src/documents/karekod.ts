import type { InvoiceDetail } from '../resources/invoices/schema.js'
import { scaled } from './format.js'

/** What only the sending of an e-document knows. */
export interface EDocument {
  /** UUID of the document */
  readonly ettn: string
  readonly scenario: 'TEMELFATURA' | 'TICARIFATURA' | 'EARSIVFATURA'
  readonly type: 'SATIS'
}

/**
 * The JSON of the karekod that GİB wants on the paper of an e-Fatura or e-Arşiv: amounts with a point and two places, one pair of
 * fields for each KDV rate. Fields that nobody knows yet (ETTN and scenario before the document is sent) are left out, since an
 * empty one would claim a value.
 *
 * The list of fields is second-hand and not checked against a ruling of GİB.
 */
export function karekod(invoice: InvoiceDetail, utilityTaxNumber: string, document: EDocument | null): string {
  const fields: Record<string, string> = { vkntckn: utilityTaxNumber }
  if (invoice.receiver.taxNumber !== null) fields['avkntckn'] = invoice.receiver.taxNumber
  if (document !== null) {
    fields['senaryo'] = document.scenario
    fields['tip'] = document.type
  }
  fields['tarih'] = invoice.issueDate
  fields['no'] = invoice.label
  if (document !== null) fields['ettn'] = document.ettn
  fields['parabirimi'] = invoice.currency
  fields['malhizmettoplam'] = kurus(invoice.net)
  for (const { rate, base, tax } of invoice.kdv) {
    const percent = wholeOrFraction(rate)
    fields[`kdvmatrah(${percent})`] = kurus(base)
    fields[`hesaplanankdv(${percent})`] = kurus(tax)
  }
  fields['vergidahil'] = kurus(invoice.gross)
  fields['odenecek'] = kurus(invoice.gross)
  return JSON.stringify(fields)
}

/** "712.85" of "712.850000": documents are in whole kuruş, so nothing is rounded. */
function kurus(text: string): string {
  const value = scaled(text)
  const digits = (value < 0n ? -value : value).toString().padStart(10, '0')
  return `${value < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9, -7)}`
}

/** "20" of 0.20, "0.5" of 0.005. */
function wholeOrFraction(rate: string): string {
  const digits = (scaled(rate) * 100n).toString().padStart(10, '0')
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '')
}
