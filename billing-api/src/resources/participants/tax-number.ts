import { isNationalId, isTaxNumber } from '@endeks/domain/identifiers'
import type { Problem } from '../../store/standing.js'

/**
 * Numbers whose check digits say that they were mistyped: ten digits are a VKN, eleven a TCKN.
 *
 * @param list what the persons are in, as a path: empty for one that stands alone
 */
export function taxNumberProblems(list: string, persons: readonly { readonly name: string; readonly taxNumber?: string }[]): Problem[] {
  return persons.flatMap(({ name, taxNumber }, index) => {
    if (taxNumber === undefined || isRight(taxNumber)) return []
    const kind = taxNumber.length === 10 ? 'tax number (VKN)' : 'national id (TCKN)'
    const path = list === '' ? '/taxNumber' : `${list}/${index}/taxNumber`
    return [{ path, message: `the check digits of the ${kind} of "${name}" are wrong: it was mistyped` }]
  })
}

function isRight(taxNumber: string): boolean {
  return taxNumber.length === 10 ? isTaxNumber(taxNumber) : isNationalId(taxNumber)
}
