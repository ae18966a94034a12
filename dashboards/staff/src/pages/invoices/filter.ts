import type { InvoiceQuery } from '@endeks/billing-api/contract'

/** The filter's names in the address, as the API has them. */
export const filterNames = ['status', 'period', 'year', 'participant', 'number', 'issuedFrom', 'issuedTo', 'grossFrom', 'grossTo'] as const
export type FilterName = (typeof filterNames)[number]

export const statuses = ['open', 'overdue', 'settled'] as const
export type Status = (typeof statuses)[number]

export function isStatus(text: string): text is Status {
  return text === 'open' || text === 'overdue' || text === 'settled'
}

const day = /^\d{4}-\d{2}-\d{2}$/
const month = /^\d{4}-\d{2}$/
const amount = /^\d{1,15}(\.\d{1,2})?$/

/** The filter in the address: what is malformed there is left out, so that a pasted address never fails. */
export function readFilter(parameters: URLSearchParams): InvoiceQuery {
  const text = (name: FilterName, form: RegExp) => {
    const value = parameters.get(name)
    return value !== null && form.test(value) ? value : undefined
  }
  const status = parameters.get('status')
  const year = text('year', /^20\d{2}$/)
  const found: { [Name in keyof InvoiceQuery]: InvoiceQuery[Name] | undefined } = {
    status: status !== null && isStatus(status) ? status : undefined,
    year: year === undefined ? undefined : Number(year),
    period: text('period', month),
    participant: text('participant', /^\d{1,12}$/),
    number: text('number', /^[A-Z0-9]{1,16}$/),
    issuedFrom: text('issuedFrom', day),
    issuedTo: text('issuedTo', day),
    grossFrom: text('grossFrom', amount),
    grossTo: text('grossTo', amount)
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined))
}
