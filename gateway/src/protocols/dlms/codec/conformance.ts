/**
 * The conformance block of xDLMS-Initiate (Green Book 9.5, Conformance ::= [APPLICATION 31] BIT STRING SIZE(24)), bit 0 first.
 * Kept as a number of 24 bits: bit 0 is the highest.
 */
export const conformanceBits = [
  'reserved-zero',
  'general-protection',
  'general-block-transfer',
  'read',
  'write',
  'unconfirmed-write',
  'delta-value-encoding',
  'reserved-seven',
  'attribute0-supported-with-set',
  'priority-mgmt-supported',
  'attribute0-supported-with-get',
  'block-transfer-with-get-or-read',
  'block-transfer-with-set-or-write',
  'block-transfer-with-action',
  'multiple-references',
  'information-report',
  'data-notification',
  'access',
  'parameterized-access',
  'get',
  'set',
  'selective-access',
  'event-notification',
  'action'
] as const

export type ConformanceBit = (typeof conformanceBits)[number]

export function conformance(...bits: readonly ConformanceBit[]): number {
  return bits.reduce((block, bit) => block | maskOf(bit), 0)
}

export function allows(block: number, bit: ConformanceBit): boolean {
  return (block & maskOf(bit)) !== 0
}

export function conformanceNames(block: number): ConformanceBit[] {
  return conformanceBits.filter((bit) => allows(block, bit))
}

function maskOf(bit: ConformanceBit): number {
  return 1 << (23 - conformanceBits.indexOf(bit))
}
