export { type GatewayId, gatewayId } from './gateway-id.js'
export { isNationalId, isTaxNumber } from './turkish-numbers.js'
