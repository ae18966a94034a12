import { AppError } from '../errors/catalogue.js'

/** A gateway's name, which is its MQTT client id, its user name and a level of its topics. */
export type GatewayId = string & { readonly __brand: 'GatewayId' }

/** @throws {AppError} VALIDATION: the name stands in topics, so wildcards and slashes can't be part of it */
export function gatewayId(text: string): GatewayId {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/.test(text)) {
    throw new AppError('VALIDATION', `"${text.slice(0, 40)}" is not a gateway name: 1 to 32 letters, digits, - and _`)
  }
  return text as GatewayId
}
