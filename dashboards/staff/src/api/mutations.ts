import type {
  Collection,
  Downlink,
  GatewayMapping,
  Login,
  NewCollection,
  NewGatewayMapping,
  RunRow,
  SessionUser
} from '@endeks/billing-api/contract'
import { call } from './client.js'

/** The owner of the work has not answered yet: it goes on without us. */
interface UnderWay {
  readonly command: string
}

export const mutations = {
  login: (body: Login) => call<SessionUser>('/session', { method: 'POST', body }),
  logout: () => call<void>('/session', { method: 'DELETE' }),
  collect: (key: string, body: NewCollection) =>
    call<Collection>('/collections', { method: 'POST', body, headers: { 'idempotency-key': key } }),
  putMapping: (gateway: string, body: NewGatewayMapping) => call<GatewayMapping>(`/gateways/${gateway}/mapping`, { method: 'PUT', body }),
  readNow: (meter: string) => call<Downlink | UnderWay>('/downlinks/read-now', { method: 'POST', body: { meter } }),
  startRun: (period: string) => call<RunRow | UnderWay>('/bill-runs', { method: 'POST', body: { period } }),
  issueRun: (id: string, bills: number) => call<unknown>(`/bill-runs/${id}/issue`, { method: 'POST', body: { bills } })
}
