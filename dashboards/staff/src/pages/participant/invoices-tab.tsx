import { InvoiceList } from '../invoices/invoice-list.js'
import { ParticipantFrame } from './frame.js'

/** The list of all invoices with one chip locked: the same component, columns and totals. */
export function InvoicesTab() {
  return <ParticipantFrame>{(participant) => <InvoiceList locked={participant.registryNo} />}</ParticipantFrame>
}
