import fc from 'fast-check'
import { type Apdu, cipheredTags } from '../../../src/protocols/dlms/codec/index.js'
import { bitContents, bytes, data, i8, i32, initiateRequest, name, oid, optional, u8, u16, u24, u32 } from './arbitraries.js'
import { service } from './service-arbitraries.js'

/** An APDU of every kind that is spoken. */
export const apdu: fc.Arbitrary<Apdu> = fc.oneof(
  { arbitrary: service, weight: 8 },
  initiateRequest,
  fc.record(
    {
      apdu: fc.constant('aarq' as const),
      protocolVersion: bitContents,
      applicationContextName: oid,
      calledApTitle: bytes(),
      callingAeInvocationId: i32,
      senderAcseRequirements: bitContents,
      mechanismName: oid,
      callingAuthenticationValue: bytes(200),
      implementationInformation: bytes(),
      userInformation: initiateRequest
    },
    { requiredKeys: ['apdu', 'applicationContextName'] }
  ),
  fc.record(
    {
      apdu: fc.constant('aare' as const),
      applicationContextName: oid,
      result: i32,
      diagnostic: fc.record({ source: fc.constantFrom('service-user' as const, 'service-provider' as const), value: i32 }),
      respondingAuthenticationValue: bytes(),
      userInformation: fc.record({
        apdu: fc.constant('initiate-response' as const),
        dlmsVersion: u8,
        conformance: u24,
        maxPduSize: u16,
        vaaName: u16
      })
    },
    { requiredKeys: ['apdu', 'applicationContextName', 'result', 'diagnostic'] }
  ),
  fc.record({ apdu: fc.constantFrom('rlrq' as const, 'rlre' as const), reason: i32, userInformation: initiateRequest }, optional),
  fc.record({ apdu: fc.constant('confirmed-service-error' as const), service: u8, category: u8, value: u8 }),
  fc.record(
    {
      apdu: fc.constant('get-request-normal' as const),
      invoke: u8,
      class: u16,
      obis: name,
      attribute: i8,
      access: fc.record({ selector: u8, parameters: data })
    },
    { requiredKeys: ['apdu', 'invoke', 'class', 'obis', 'attribute'] }
  ),
  fc.record({ apdu: fc.constant('get-request-next' as const), invoke: u8, block: u32 }),
  fc.record({
    apdu: fc.constant('get-response-normal' as const),
    invoke: u8,
    result: fc.oneof(fc.record({ data }), fc.record({ error: u8 }))
  }),
  fc.record({
    apdu: fc.constant('get-response-with-datablock' as const),
    invoke: u8,
    last: fc.boolean(),
    block: u32,
    result: fc.oneof(fc.record({ raw: bytes(400) }), fc.record({ error: u8 }))
  }),
  fc.record({
    apdu: fc.constant('exception-response' as const),
    stateError: fc.constantFrom(1, 2),
    serviceError: fc.constantFrom(1, 2, 3, 4, 5)
  }),
  fc
    .record({ row: fc.constantFrom(...cipheredTags), control: u8, invocationCounter: u32, title: fc.boolean(), contents: bytes(60) })
    .map(({ row, title, control, contents, ...rest }): Apdu => {
      const systemTitle = row.inner === undefined ? { systemTitle: new Uint8Array(title ? 8 : 0).fill(7) } : {}
      // An authenticated one holds at least its tag.
      return { apdu: row.name, ...systemTitle, ...rest, control, contents: Uint8Array.of(...contents, ...new Uint8Array(12)) }
    }),
  u32.map((invocationCounter) => ({ apdu: 'exception-response' as const, stateError: 1, serviceError: 6, invocationCounter }))
)
