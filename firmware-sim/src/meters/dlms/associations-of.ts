import { AppError } from '@endeks/domain/errors'
import { dlms } from '@endeks/gateway/codec'
import type { ProtectionLevel } from './ciphering.js'
import type { Rights } from './cosem-object.js'
import type { DlmsMeterOptions } from './options.js'

/** One association that a meter offers: to which client, how it proves itself, what it may do and how its APDUs are protected. */
export interface AssociationDefinition {
  /** the client's SAP; undefined takes any */
  readonly client: number | undefined
  readonly mechanism: 'none' | 'low' | 'gmac'
  readonly rights: Rights
  readonly ciphered: boolean
  readonly protection: ProtectionLevel
}

/** Client addresses of a meter with a password or keys whose associations are not listed: 1 is the management process of IEC 62056-53. */
export const defaultClients = { manager: 1, public: dlms.publicClientPort, reader: 32 } as const

const open = { mechanism: 'none', ciphered: false, protection: 'none' } as const

/**
 * The associations of a meter, the public one first. A meter of which nothing is said lets any client read without a password.
 *
 * @throws {AppError} VALIDATION for a client that has two, or an association whose password or keys are not given
 */
export function associationsOf(options: DlmsMeterOptions): readonly AssociationDefinition[] {
  const { keys, password, associations } = options
  if (keys === undefined && password === undefined && associations === undefined) return [{ ...open, client: undefined, rights: 'read' }]
  const listed = associations?.map((each): AssociationDefinition => {
    const { client, mechanism, rights, ciphered = mechanism === 'gmac', protection = ciphered ? 'both' : 'none' } = each
    return { client, mechanism, rights, ciphered, protection }
  })
  const own = listed ?? [
    ...(password === undefined ? [] : [{ ...open, client: defaultClients.reader, mechanism: 'low', rights: 'read' } as const]),
    ...(keys === undefined ? [] : [managing])
  ]
  const identifying = own.some((each) => each.client === defaultClients.public) ? [] : [publicAssociation]
  const all = [...identifying, ...own]
  if (new Set(all.map((each) => each.client)).size < all.length) throw new AppError('VALIDATION', 'a client has two associations')
  for (const { client, mechanism, ciphered } of all) {
    if (mechanism === 'low' && password === undefined) throw new AppError('VALIDATION', `client ${client} has no "password"`)
    if ((ciphered || mechanism === 'gmac') && keys === undefined) throw new AppError('VALIDATION', `client ${client} has no "keys"`)
  }
  return all
}

const publicAssociation: AssociationDefinition = { ...open, client: defaultClients.public, rights: 'identify' }
const managing: AssociationDefinition = {
  client: defaultClients.manager,
  mechanism: 'gmac',
  rights: 'manage',
  ciphered: true,
  protection: 'both'
}
