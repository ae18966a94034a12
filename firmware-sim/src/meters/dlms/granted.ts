import { dlms } from '@endeks/gateway/codec'
import type { AssociationDefinition } from './associations-of.js'
import type { Rights } from './cosem-object.js'
import type { DlmsMeterOptions } from './options.js'

const reading = [
  'get',
  'selective-access',
  'block-transfer-with-get-or-read',
  'priority-mgmt-supported',
  'multiple-references'
] as const satisfies readonly dlms.ConformanceBit[]

/** The services that a client may use by what it may do. */
const services: Readonly<Record<Rights, readonly dlms.ConformanceBit[]>> = {
  identify: ['get', 'block-transfer-with-get-or-read', 'priority-mgmt-supported'],
  read: reading,
  manage: [...reading, 'set', 'action', 'block-transfer-with-set-or-write', 'block-transfer-with-action']
}

/** The conformance block that a meter grants at most in an association. */
export function grantedTo({ rights, mechanism, ciphered }: AssociationDefinition, options: DlmsMeterOptions): number {
  return dlms.conformance(
    ...services[rights],
    // Without ACTION the client could not answer its challenge.
    ...(mechanism === 'gmac' ? (['action'] as const) : []),
    ...(ciphered ? (['general-protection'] as const) : []),
    ...(options.push === undefined ? [] : (['data-notification'] as const))
  )
}
