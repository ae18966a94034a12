import type { Apdu } from './apdu.js'
import type { UserInformation } from './association-fields.js'
import { associationResults, providerDiagnostics, userDiagnostics } from './association-fields.js'
import { conformanceNames } from './conformance.js'
import { describeData, type Json, type JsonObject, named } from './describe-data.js'
import { describeService } from './describe-service.js'
import { serviceErrors, stateErrors } from './exception.js'
import { dataAccessResults } from './get.js'
import { toHex } from './reader.js'
import { isService } from './services.js'

/** An APDU as plain JSON: `{"apdu":"get-response-normal","invoke":193,"data":{"type":"long-unsigned","value":"11"}}`. */
export function describeApdu(apdu: Apdu): JsonObject {
  switch (apdu.apdu) {
    case 'get-request-normal': {
      const { access, ...rest } = apdu
      if (access === undefined) return rest
      return { ...rest, access: { selector: access.selector, parameters: describeData(access.parameters) } }
    }
    case 'get-response-normal': {
      const { result, ...rest } = apdu
      return { ...rest, ...('data' in result ? { data: describeData(result.data) } : { error: named(dataAccessResults, result.error) }) }
    }
    case 'get-response-with-datablock': {
      const { result, ...rest } = apdu
      return { ...rest, ...('raw' in result ? { raw: toHex(result.raw) } : { error: named(dataAccessResults, result.error) }) }
    }
    case 'exception-response': {
      const { stateError, serviceError, ...rest } = apdu
      return { ...rest, stateError: named(stateErrors, stateError), serviceError: named(serviceErrors, serviceError) }
    }
    case 'aare':
      return {
        ...describeFields(apdu),
        result: named(associationResults, apdu.result),
        diagnostic: {
          source: apdu.diagnostic.source,
          ...named(apdu.diagnostic.source === 'service-user' ? userDiagnostics : providerDiagnostics, apdu.diagnostic.value)
        }
      }
    default:
      return isService(apdu) ? describeService(apdu) : describeFields(apdu)
  }
}

/** Flat objects: bytes become hex, the conformance block its names, what is nested is described by itself. */
function describeFields(fields: Apdu | UserInformation): JsonObject {
  const described: Record<string, Json> = {}
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) described[name] = toHex(value)
    else if (name === 'conformance' && typeof value === 'number') described[name] = conformanceNames(value)
    else if (name === 'userInformation' && isInformation(value)) described[name] = describeFields(value)
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') described[name] = value
  }
  return described
}

function isInformation(value: unknown): value is UserInformation {
  return typeof value === 'object' && value !== null && 'apdu' in value
}
