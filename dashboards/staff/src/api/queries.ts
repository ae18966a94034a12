import type {
  Collection,
  Consumption,
  Downlink,
  Explanation,
  GatewayMapping,
  GatewayRow,
  InvoiceDetail,
  InvoicePage,
  InvoiceQuery,
  InvoiceRow,
  MeterDetail,
  Overview,
  ParticipantDetail,
  ParticipantRow,
  Reading,
  RunDetail,
  RunRow,
  SessionUser,
  TariffDetail,
  TariffRow,
  UnmappedKeyList
} from '@endeks/billing-api/contract'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { address, call, type Query } from './client.js'

interface Page<Item> {
  readonly items: Item[]
  readonly next: string | null
}

interface List<Item> {
  readonly items: Item[]
}

const pageSize = 100

/** Keyset pages: the server's `next` is opaque and comes back as `cursor`. */
function pages<Item, Answer extends Page<Item> = Page<Item>>(name: string, path: string, query: Query = {}) {
  return infiniteQueryOptions({
    queryKey: [name, query],
    queryFn: ({ pageParam, signal }) => call<Answer>(address(path, { ...query, limit: pageSize, cursor: pageParam }), { signal }),
    initialPageParam: '',
    getNextPageParam: (last) => last.next ?? undefined,
    placeholderData: keepPreviousData
  })
}

function one<Answer>(key: readonly unknown[], path: string) {
  return queryOptions({ queryKey: key, queryFn: ({ signal }) => call<Answer>(path, { signal }) })
}

/** A collection settles at most this many invoices. */
const mostOpen = 500

/** What a participant owes, oldest debt first: a collection settles in this order. */
async function openInvoices(registryNo: string, signal: AbortSignal): Promise<InvoiceRow[]> {
  const byId = new Map<string, InvoiceRow>()
  for (const status of ['overdue', 'open']) {
    let cursor: string | null = null
    do {
      const query: Query = { participant: registryNo, status, limit: mostOpen, cursor }
      const page: InvoicePage = await call(address('/invoices', query), { signal })
      for (const row of page.items) byId.set(row.id, row)
      cursor = page.next
    } while (cursor !== null && byId.size < mostOpen)
  }
  return [...byId.values()]
    .sort((left, right) => left.dueDate.localeCompare(right.dueDate) || left.label.localeCompare(right.label))
    .slice(0, mostOpen)
}

export const queries = {
  session: () => queryOptions({ ...one<SessionUser>(['session'], '/session'), retry: false, staleTime: Number.POSITIVE_INFINITY }),
  overview: () => queryOptions({ ...one<Overview>(['overview'], '/overview'), refetchInterval: 30_000 }),
  participants: (query: Query) => pages<ParticipantRow>('participants', '/participants', query),
  participant: (registryNo: string) => one<ParticipantDetail>(['participant', registryNo], `/participants/${registryNo}`),
  consumption: (registryNo: string) => one<Consumption>(['consumption', registryNo], `/participants/${registryNo}/consumption`),
  find: (search: string) =>
    queryOptions({
      queryKey: ['find', search],
      queryFn: ({ signal }) => call<Page<ParticipantRow>>(address('/participants', { search, limit: 8 }), { signal }),
      placeholderData: keepPreviousData
    }),
  meters: (query: Query) => pages<MeterDetail>('meters', '/meters', query),
  meter: (id: string) => one<MeterDetail>(['meter', id], `/meters/${id}`),
  readings: (register: string) => pages<Reading>('readings', '/readings', { register }),
  invoices: (query: InvoiceQuery) => pages<InvoiceRow, InvoicePage>('invoices', '/invoices', query),
  invoice: (id: string) => one<InvoiceDetail>(['invoice', id], `/invoices/${id}`),
  explanation: (id: string, line: number) => one<Explanation>(['explanation', id, line], `/invoices/${id}/lines/${line}/explain`),
  openInvoices: (registryNo: string) =>
    queryOptions({ queryKey: ['open-invoices', registryNo], queryFn: ({ signal }) => openInvoices(registryNo, signal) }),
  runs: () => one<List<RunRow>>(['runs'], '/bill-runs'),
  run: (id: string) => one<RunDetail>(['run', id], `/bill-runs/${id}`),
  collections: (query: Query) => pages<Collection>('collections', '/collections', query),
  tariffs: () => one<List<TariffRow>>(['tariffs'], '/tariffs'),
  tariff: (code: string) => one<TariffDetail>(['tariff', code], `/tariffs/${encodeURIComponent(code)}`),
  downlinks: (meter: string) =>
    queryOptions({
      ...one<List<Downlink>>(['downlinks', meter], address('/downlinks', { meter, limit: 5 })),
      refetchInterval: ({ state }) =>
        state.data?.items.some((each) => each.finishedAt === null && each.state !== 'expired') ? 2_000 : false
    }),
  gatewayMapping: (id: string) => one<GatewayMapping>(['gateway-mapping', id], `/gateways/${id}/mapping`),
  unmappedKeys: (id: string) =>
    queryOptions({ ...one<UnmappedKeyList>(['unmapped-keys', id], `/gateways/${id}/unmapped-keys`), refetchInterval: 60_000 }),
  gateways: () => queryOptions({ ...one<List<GatewayRow>>(['gateways'], '/gateways'), refetchInterval: 15_000 })
}

export const receiptPdf = (id: string, language: string) => address(`/api/collections/${id}/pdf`, { language })

export const invoicePdf = (id: string, language: string) => address(`/api/invoices/${id}/pdf`, { language })
