import { AppError } from '../errors/catalogue.js'

/** The name of a register by IEC 62056-61 and EN 13757-1: A-B:C.D.E*F. Cold water's total volume is 8-0:1.0.0*255. */
export type Obis = string & { readonly __brand: 'Obis' }

const pattern = /^(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})\*(\d{1,3})$/

export function isObis(text: string): text is Obis {
  const groups = pattern.exec(text)
  return groups?.slice(1).every((group) => Number(group) <= 255) ?? false
}

export function obis(text: string): Obis {
  if (!isObis(text)) throw new AppError('VALIDATION', `"${text.slice(0, 40)}" is not an OBIS code such as 8-0:1.0.0*255`)
  return text
}
