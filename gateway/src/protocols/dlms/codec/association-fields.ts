import type { ConfirmedServiceError, InitiateRequest, InitiateResponse } from './initiate.js'

/** User information that is not xDLMS in the clear: ciphered, kept byte for byte with its tag. */
export interface OpaqueInformation {
  readonly apdu: 'opaque'
  readonly bytes: Uint8Array
}

export type UserInformation = InitiateRequest | InitiateResponse | ConfirmedServiceError | OpaqueInformation

export interface Diagnostic {
  readonly source: 'service-user' | 'service-provider'
  readonly value: number
}

/** How the contents of a field are laid out, and what it becomes. */
export interface FieldValues {
  /** an object identifier behind its own tag 06, or alone where the field is IMPLICIT */
  readonly oid: string
  readonly 'implicit-oid': string
  /** OCTET STRING behind tag 04 */
  readonly octets: Uint8Array
  /** INTEGER behind tag 02, or alone where the field is IMPLICIT */
  readonly integer: number
  readonly 'implicit-integer': number
  /** contents of a BIT STRING: number of unused bits, then the bits */
  readonly bits: Uint8Array
  /** Authentication-value, choice charstring [0] */
  readonly authentication: Uint8Array
  readonly diagnostic: Diagnostic
  readonly information: UserInformation
  readonly contents: Uint8Array
}

export interface FieldRow {
  readonly tag: number
  readonly name: string
  readonly layout: keyof FieldValues
  readonly required: boolean
}

/** AARQ-apdu ::= [APPLICATION 0] (Green Book 9.4.2), in the order in which the fields must come. */
export const aarqFields = [
  { tag: 0x80, name: 'protocolVersion', layout: 'bits', required: false },
  { tag: 0xa1, name: 'applicationContextName', layout: 'oid', required: true },
  { tag: 0xa2, name: 'calledApTitle', layout: 'octets', required: false },
  { tag: 0xa3, name: 'calledAeQualifier', layout: 'octets', required: false },
  { tag: 0xa4, name: 'calledApInvocationId', layout: 'integer', required: false },
  { tag: 0xa5, name: 'calledAeInvocationId', layout: 'integer', required: false },
  { tag: 0xa6, name: 'callingApTitle', layout: 'octets', required: false },
  { tag: 0xa7, name: 'callingAeQualifier', layout: 'octets', required: false },
  { tag: 0xa8, name: 'callingApInvocationId', layout: 'integer', required: false },
  { tag: 0xa9, name: 'callingAeInvocationId', layout: 'integer', required: false },
  { tag: 0x8a, name: 'senderAcseRequirements', layout: 'bits', required: false },
  { tag: 0x8b, name: 'mechanismName', layout: 'implicit-oid', required: false },
  { tag: 0xac, name: 'callingAuthenticationValue', layout: 'authentication', required: false },
  { tag: 0x9d, name: 'implementationInformation', layout: 'contents', required: false },
  { tag: 0xbe, name: 'userInformation', layout: 'information', required: false }
] as const satisfies readonly FieldRow[]

/** AARE-apdu ::= [APPLICATION 1]. */
export const aareFields = [
  { tag: 0x80, name: 'protocolVersion', layout: 'bits', required: false },
  { tag: 0xa1, name: 'applicationContextName', layout: 'oid', required: true },
  { tag: 0xa2, name: 'result', layout: 'integer', required: true },
  { tag: 0xa3, name: 'diagnostic', layout: 'diagnostic', required: true },
  { tag: 0xa4, name: 'respondingApTitle', layout: 'octets', required: false },
  { tag: 0xa5, name: 'respondingAeQualifier', layout: 'octets', required: false },
  { tag: 0xa6, name: 'respondingApInvocationId', layout: 'integer', required: false },
  { tag: 0xa7, name: 'respondingAeInvocationId', layout: 'integer', required: false },
  { tag: 0x88, name: 'responderAcseRequirements', layout: 'bits', required: false },
  { tag: 0x89, name: 'mechanismName', layout: 'implicit-oid', required: false },
  { tag: 0xaa, name: 'respondingAuthenticationValue', layout: 'authentication', required: false },
  { tag: 0x9d, name: 'implementationInformation', layout: 'contents', required: false },
  { tag: 0xbe, name: 'userInformation', layout: 'information', required: false }
] as const satisfies readonly FieldRow[]

/** RLRQ-apdu ::= [APPLICATION 2] and RLRE-apdu ::= [APPLICATION 3] have the same fields. */
export const releaseFields = [
  { tag: 0x80, name: 'reason', layout: 'implicit-integer', required: false },
  { tag: 0xbe, name: 'userInformation', layout: 'information', required: false }
] as const satisfies readonly FieldRow[]

type Required<Rows extends readonly FieldRow[]> = {
  readonly [Row in Extract<Rows[number], { readonly required: true }> as Row['name']]: FieldValues[Row['layout']]
}
type Optional<Rows extends readonly FieldRow[]> = {
  readonly [Row in Extract<Rows[number], { readonly required: false }> as Row['name']]?: FieldValues[Row['layout']]
}
/** The object that a table of fields decodes to. */
export type Fields<Rows extends readonly FieldRow[]> = Required<Rows> & Optional<Rows>

export type Aarq = { readonly apdu: 'aarq' } & Fields<typeof aarqFields>
export type Aare = { readonly apdu: 'aare' } & Fields<typeof aareFields>
export type Rlrq = { readonly apdu: 'rlrq' } & Fields<typeof releaseFields>
export type Rlre = { readonly apdu: 'rlre' } & Fields<typeof releaseFields>

/** Application contexts and mechanisms: joint-iso-ccitt(2) country(16) country-name(756) identified-organisation(5) DLMS-UA(8). */
export const applicationContexts = { logicalNames: '2.16.756.5.8.1.1', logicalNamesCiphered: '2.16.756.5.8.1.3' } as const

export const associationResults: ReadonlyMap<number, string> = new Map([
  [0, 'accepted'],
  [1, 'rejected-permanent'],
  [2, 'rejected-transient']
])

/** Acse-service-user diagnostics of the Green Book 9.4.2. */
export const userDiagnostics: ReadonlyMap<number, string> = new Map([
  [0, 'null'],
  [1, 'no-reason-given'],
  [2, 'application-context-name-not-supported'],
  [3, 'calling-AP-title-not-recognized'],
  [4, 'calling-AP-invocation-identifier-not-recognized'],
  [5, 'calling-AE-qualifier-not-recognized'],
  [6, 'calling-AE-invocation-identifier-not-recognized'],
  [7, 'called-AP-title-not-recognized'],
  [8, 'called-AP-invocation-identifier-not-recognized'],
  [9, 'called-AE-qualifier-not-recognized'],
  [10, 'called-AE-invocation-identifier-not-recognized'],
  [11, 'authentication-mechanism-name-not-recognised'],
  [12, 'authentication-mechanism-name-required'],
  [13, 'authentication-failure'],
  [14, 'authentication-required']
])

export const providerDiagnostics: ReadonlyMap<number, string> = new Map([
  [0, 'null'],
  [1, 'no-reason-given'],
  [2, 'no-common-acse-version']
])
