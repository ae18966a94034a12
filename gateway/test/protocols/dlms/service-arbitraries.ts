import fc from 'fast-check'
import { type ServiceApdu, serviceRows } from '../../../src/protocols/dlms/codec/index.js'
import type { ActionResult, AttributeTarget, GetResult, ServiceValues } from '../../../src/protocols/dlms/codec/service-layouts.js'
import { bytes, data, dateTime, i8, name, u8, u16, u32 } from './arbitraries.js'

const reference = { class: u16, obis: name, attribute: i8 }
const attribute: fc.Arbitrary<AttributeTarget> = fc.record(
  { ...reference, access: fc.record({ selector: u8, parameters: data }) },
  { requiredKeys: ['class', 'obis', 'attribute'] }
)
const method = fc.record({ class: u16, obis: name, method: i8 })
const getResult: fc.Arbitrary<GetResult> = fc.oneof(fc.record({ data }), fc.record({ error: u8 }))
const actionResult: fc.Arbitrary<ActionResult> = fc.record({ result: u8, returned: getResult }, { requiredKeys: ['result'] })

type Values = { readonly [Name in keyof ServiceValues]: fc.Arbitrary<ServiceValues[Name]> }

/** A value for each layout; lists have the same length, as those that are paired must. */
function valuesOf(count: number): Values {
  const list = <Value>(each: fc.Arbitrary<Value>) => fc.array(each, { minLength: count, maxLength: count })
  return {
    invoke: u8,
    'long-invoke': u32,
    block: u32,
    piece: fc.record({ last: fc.boolean(), block: u32, raw: bytes(200) }),
    attribute,
    'plain-attribute': fc.record(reference),
    attributes: list(attribute),
    method,
    methods: list(method),
    data,
    'optional-data': fc.option(data, { nil: undefined }),
    values: list(data),
    result: u8,
    results: list(u8),
    'get-results': list(getResult),
    'action-result': actionResult,
    'action-results': list(actionResult),
    time: fc.option(dateTime, { nil: undefined }),
    'optional-time': fc.option(dateTime, { nil: undefined })
  }
}

/** An APDU of every row of the table: a row that is added is tested. */
export const service: fc.Arbitrary<ServiceApdu> = fc.tuple(fc.constantFrom(...serviceRows), fc.nat(3)).chain(([row, count]) => {
  const values = valuesOf(count)
  const fields = Object.fromEntries(row.fields.map(([field, layout]) => [field, values[layout] as fc.Arbitrary<unknown>]))
  return fc.record({ apdu: fc.constant(row.name), ...fields }) as fc.Arbitrary<ServiceApdu>
})
