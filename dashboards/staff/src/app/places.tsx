import type { ComponentType } from 'react'
import { BillingIcon, CollectionsIcon, OverviewIcon, ParticipantsIcon, ReadingsIcon } from '../components/icons.js'

export interface Place {
  readonly key: 'overview' | 'participants' | 'readings' | 'billing' | 'collections'
  /** its number in the order in which money is made; Alt and this number open it */
  readonly number: number
  readonly to: string
  /** addresses below which the entry is the current one */
  readonly covers: readonly string[]
  readonly Icon: ComponentType<{ readonly size?: number }>
}

/** Seven places in the order in which money is made. Work (6) and reports (7) keep their numbers until their pages stand. */
export const places: readonly Place[] = [
  { key: 'overview', number: 1, to: '/', covers: [], Icon: OverviewIcon },
  { key: 'participants', number: 2, to: '/participants', covers: ['/participants'], Icon: ParticipantsIcon },
  { key: 'readings', number: 3, to: '/readings/meters', covers: ['/readings', '/meters'], Icon: ReadingsIcon },
  { key: 'billing', number: 4, to: '/billing/runs', covers: ['/billing', '/invoices'], Icon: BillingIcon },
  { key: 'collections', number: 5, to: '/collections', covers: ['/collections', '/desk'], Icon: CollectionsIcon }
]

export function isCurrent(place: Place, path: string): boolean {
  return place.to === path || place.covers.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
}
