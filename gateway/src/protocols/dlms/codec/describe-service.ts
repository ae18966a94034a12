import { formatDateTime } from './date-time.js'
import { describeData, type Json, type JsonObject, named } from './describe-data.js'
import { dataAccessResults } from './get.js'
import { toHex } from './reader.js'
import type { ActionResult, AttributeTarget, GetResult, MethodTarget, ServiceValues } from './service-layouts.js'
import { type ServiceApdu, serviceRow } from './services.js'

/** Action-Result of the Green Book 9.5. */
export const actionResults: ReadonlyMap<number, string> = new Map([
  [0, 'success'],
  [1, 'hardware-fault'],
  [2, 'temporary-failure'],
  [3, 'read-write-denied'],
  [4, 'object-undefined'],
  [9, 'object-class-inconsistent'],
  [11, 'object-unavailable'],
  [12, 'type-unmatched'],
  [13, 'scope-of-action-violated'],
  [14, 'data-block-unavailable'],
  [15, 'long-action-aborted'],
  [16, 'no-long-action-in-progress'],
  [250, 'other-reason']
])

const attribute = ({ access, ...reference }: AttributeTarget): JsonObject =>
  access === undefined ? reference : { ...reference, access: { selector: access.selector, parameters: describeData(access.parameters) } }
const method = (target: MethodTarget): JsonObject => ({ ...target })
const getResult = (result: GetResult): JsonObject =>
  'data' in result ? { data: describeData(result.data) } : { error: named(dataAccessResults, result.error) }
const actionResult = ({ result, returned }: ActionResult): JsonObject => ({
  result: named(actionResults, result),
  ...(returned === undefined ? {} : { returned: getResult(returned) })
})

const descriptions: { readonly [Name in keyof ServiceValues]: (value: ServiceValues[Name]) => Json } = {
  invoke: (value) => value,
  'long-invoke': (value) => value,
  block: (value) => value,
  piece: ({ raw, ...rest }) => ({ ...rest, raw: toHex(raw) }),
  attribute,
  'plain-attribute': attribute,
  attributes: (value) => value.map(attribute),
  method,
  methods: (value) => value.map(method),
  data: describeData,
  'optional-data': (value) => (value === undefined ? null : describeData(value)),
  values: (value) => value.map(describeData),
  result: (value) => named(dataAccessResults, value),
  results: (value) => value.map((each) => named(dataAccessResults, each)),
  'get-results': (value) => value.map(getResult),
  'action-result': actionResult,
  'action-results': (value) => value.map(actionResult),
  time: (value) => (value === undefined ? null : formatDateTime(value)),
  'optional-time': (value) => (value === undefined ? null : formatDateTime(value))
}

/** An APDU of a service as plain JSON, field by field of its table. */
export function describeService(apdu: ServiceApdu): JsonObject {
  const given = new Map<string, unknown>(Object.entries(apdu))
  const fields = serviceRow(apdu.apdu).fields.map(([name, layout]): [string, Json] => {
    const describe = descriptions[layout] as (value: unknown) => Json
    return [name, describe(given.get(name))]
  })
  return { apdu: apdu.apdu, ...Object.fromEntries(fields) }
}
