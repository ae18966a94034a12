import type { Messages } from '../i18n/tr.js'

export const billingTabs = (t: Messages) => [
  { to: '/billing/runs', label: t.runs.title },
  { to: '/billing/invoices', label: t.invoices.title },
  { to: '/billing/tariffs', label: t.tariffs.title }
]

export const readingTabs = (t: Messages) => [
  { to: '/readings/meters', label: t.meters.title },
  { to: '/readings/gateways', label: t.gateways.title }
]

export const collectionTabs = (t: Messages) => [
  { to: '/collections', label: t.collections.title },
  { to: '/desk', label: t.desk.title }
]
