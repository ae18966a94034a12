import type { ReadFunction } from './pdu.js'
import type { ModbusProfile, ValueField } from './profile.js'
import { valueTypes } from './types.js'

/** Something that a profile names, where it stands on the wire. */
export interface Placed {
  readonly kind: 'identity' | 'register' | 'scaler' | 'status' | 'history'
  readonly path: string
  /** for a person */
  readonly name: string
  readonly function: ReadFunction
  /** from 0; outside 0 to 65535 for a profile that `checkProfile` refuses */
  readonly address: number
  readonly count: number
}

export function wireAddress(profile: ModbusProfile, address: number): number {
  return address - (profile.addressBase ?? 0)
}

/** Everything that a profile has read, in the profile's order; stored records one by one. */
export function layoutOf(profile: ModbusProfile): Placed[] {
  const { identity, registers, status = [], history } = profile
  const at = (address: number): number => wireAddress(profile, address)
  return [
    {
      kind: 'identity',
      path: '/identity',
      name: 'the identity',
      function: identity.function,
      address: at(identity.address),
      count: identity.count
    },
    ...registers.flatMap((each, index): Placed[] => [
      {
        kind: 'register',
        path: `/registers/${index}`,
        name: each.obis,
        function: each.function,
        address: at(each.address),
        count: valueTypes[each.type]
      },
      ...scalerPlace(profile, each, `/registers/${index}`)
    ]),
    ...status.map(
      (each, index): Placed => ({
        kind: 'status',
        path: `/status/${index}`,
        name: `status ${each.means}`,
        function: each.function,
        address: at(each.address),
        count: 1
      })
    ),
    ...(history?.values ?? []).flatMap((each, index) => scalerPlace(profile, each, `/history/values/${index}`)),
    ...historyPlaces(profile)
  ]
}

function scalerPlace(profile: ModbusProfile, field: ValueField, path: string): Placed[] {
  const { scaler, obis } = field
  if (typeof scaler === 'number') return []
  const address = wireAddress(profile, scaler.address)
  return [{ kind: 'scaler', path: `${path}/scaler`, name: `the scaler of ${obis}`, function: scaler.function, address, count: 1 }]
}

function historyPlaces(profile: ModbusProfile): Placed[] {
  const { history } = profile
  if (history === undefined) return []
  return Array.from({ length: history.entries }, (_, entry) => ({
    kind: 'history' as const,
    path: '/history',
    name: `stored record ${entry + 1}`,
    function: history.function,
    address: wireAddress(profile, history.address) + entry * history.stride,
    count: history.stride
  }))
}
