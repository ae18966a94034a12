import { once } from 'node:events'
import { connect } from 'node:net'
import { obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import { dlms } from '@endeks/gateway/codec'
import t from 'tap'
import { startDlmsBus } from '../../../src/meters/dlms/server.js'
import { aarq, Client, meter, setUp } from './bench.js'

const octets = (data: dlms.DlmsData) => (data.type === 'octet-string' ? Buffer.from(data.value).toString('latin1') : data.type)

/** Rows of a load profile as instants and counters. */
function rowsOf(data: dlms.DlmsData): { readonly at: string; readonly raw: number }[] {
  if (data.type !== 'array') throw new Error(data.type)
  return data.value.map((row) => {
    const [clock, counter] = row.type === 'structure' ? row.value : []
    if (clock?.type !== 'octet-string' || counter?.type !== 'double-long-unsigned') throw new Error('a row is not a clock and a counter')
    const decoded = dlms.decodeData(Uint8Array.of(25, ...clock.value))
    const at = decoded.ok && decoded.value.type === 'date-time' ? dlms.toInstant(decoded.value.value, 'UTC') : undefined
    return { at: at === undefined ? 'none' : new Date(at).toISOString(), raw: counter.value }
  })
}

t.test('an association grants what both sides have, and the size that the meter takes', async (t) => {
  const client = await setUp(t, [meter()], false)
  const answer = await client.ask(aarq())
  t.match(answer, { apdu: 'aare', result: 0, userInformation: { maxPduSize: 512, vaaName: 7, dlmsVersion: 6 } })
  const info = answer.apdu === 'aare' ? answer.userInformation : undefined
  t.same(info?.apdu === 'initiate-response' && dlms.conformanceNames(info.conformance), [
    'priority-mgmt-supported',
    'block-transfer-with-get-or-read',
    'multiple-references',
    'get',
    'selective-access'
  ])
})

t.test('an association that cannot be is refused with its reason', async (t) => {
  const client = await setUp(t, [meter()], false)
  const refused = (diagnostic: number, value?: number) => ({
    apdu: 'aare',
    result: 1,
    diagnostic: { value: diagnostic },
    ...(value === undefined ? {} : { userInformation: { apdu: 'confirmed-service-error', service: 1, category: 6, value } })
  })
  t.match(await client.ask({ ...aarq(), applicationContextName: '2.16.756.5.8.1.2' }), refused(2), 'short names')
  t.match(await client.ask({ ...aarq(), mechanismName: '2.16.756.5.8.2.1' }), refused(11), 'a password')
  t.match(await client.ask(aarq({ dlmsVersion: 5 })), refused(1, 1), 'an old version')
  t.match(await client.ask(aarq({ conformance: 0 })), refused(1, 2), 'nothing in common')
  t.match(await client.ask(aarq({ maxPduSize: 5 })), refused(1, 3), 'too small')
  const get: dlms.Apdu = { apdu: 'get-request-normal', invoke: 0xc1, class: 1, obis: obis('0-0:96.1.0*255'), attribute: 2 }
  t.match(await client.ask(get), { apdu: 'exception-response', stateError: 1 }, 'no association, no GET')
})

t.test('several meters answer behind one port, each as itself', async (t) => {
  const client = await setUp(t, [meter(), meter({ address: '7', id: '77777777' })])
  await client.ask(aarq(), 7)
  t.equal(octets(await client.get(1, '0-0:96.1.0*255', 2)), '12345678')
  t.equal(octets(await client.get(1, '0-0:96.1.0*255', 2, undefined, 7)), '77777777')
  t.equal(octets(await client.get(1, '0-0:42.0.0*255', 2, undefined, 7)), 'KAM0000077777777')
})

t.test('a register gives its counter as displayed, its scaler and its unit', async (t) => {
  const client = await setUp(t, [meter({ digits: 3 }), meter({ address: '2', digits: 12 })])
  await client.ask(aarq(), 2)
  t.match(await client.get(3, '8-0:1.0.0*255', 2), { type: 'double-long-unsigned', value: 832 }, 'rolled over at 1000')
  t.match(await client.get(3, '8-0:1.0.0*255', 2, undefined, 2), { type: 'long64-unsigned', value: 104_832n })
  t.same(await client.get(3, '8-0:1.0.0*255', 3), {
    type: 'structure',
    value: [
      { type: 'integer', value: -3 },
      { type: 'enum', value: 13 }
    ]
  })
})

t.test('the load profile comes by range, and whole in blocks that keep to the size agreed', async (t) => {
  const client = await setUp(t, [meter()])
  const range = dlms.rangeByClock({
    from: epochMs(Date.UTC(2026, 9, 30, 21)),
    to: epochMs(Date.UTC(2026, 10, 1, 20, 59)),
    zone: 'Europe/Istanbul'
  })
  const some = rowsOf(await client.get(7, '1-0:99.2.0*255', 2, range))
  t.same(
    some.map((row) => row.at),
    ['2026-10-30T21:00:00.000Z', '2026-10-31T21:00:00.000Z'],
    'both ends belong to the range'
  )
  client.sizes.length = 0
  const rows = rowsOf(await client.get(7, '1-0:99.2.0*255', 2))
  t.ok(client.sizes.length > 10 && Math.max(...client.sizes) <= 512, `${client.sizes.length} blocks`)
  t.equal(rows.length, 500, 'the memory holds 500 rows')
  t.equal(rows.at(-1)?.at, '2026-11-23T21:00:00.000Z', 'the newest is the midnight before now')
  t.equal(rows.at(-1)?.raw, Number(meter().indexAt(epochMs(Date.UTC(2026, 10, 23, 21)))))
})

t.test('a young meter has as many rows as midnights, across a change of the clock', async (t) => {
  const young = { zone: 'Europe/Berlin', startedAt: epochMs(Date.UTC(2026, 9, 23, 22)), now: epochMs(Date.UTC(2026, 9, 26, 12)) }
  const client = await setUp(t, [meter(young)])
  const expected = ['2026-10-23T22:00:00.000Z', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z']
  t.same(
    rowsOf(await client.get(7, '1-0:99.2.0*255', 2)).map((row) => row.at),
    expected,
    'mounted at midnight: that one counts'
  )
  t.match(await client.get(7, '1-0:99.2.0*255', 7), { value: 3 }, 'entries in use')
  t.match(await client.get(8, '0-0:1.0.0*255', 3), { type: 'long', value: -60 }, 'the deviation of winter')
})

t.test('what a meter does not have, it names', async (t) => {
  const client = await setUp(t, [meter()])
  const error = async (objectClass: number, name: string, attribute: number, access?: dlms.SelectiveAccess) => {
    const reference = { class: objectClass, obis: obis(name), attribute }
    const answer = await client.ask({ apdu: 'get-request-normal', invoke: 0xc1, ...reference, ...(access === undefined ? {} : { access }) })
    return answer.apdu === 'get-response-normal' && 'error' in answer.result ? dlms.dataAccessResults.get(answer.result.error) : answer.apdu
  }
  t.equal(await error(3, '8-0:2.0.0*255', 2), 'object-undefined')
  t.equal(await error(1, '8-0:1.0.0*255', 2), 'object-class-inconsistent')
  t.equal(await error(3, '8-0:1.0.0*255', 9), 'read-write-denied')
  t.equal(await error(7, '1-0:99.2.0*255', 2, { selector: 2, parameters: { type: 'null-data' } }), 'type-unmatched')
  t.match(await client.ask(Uint8Array.of(0xc1, 1)), { apdu: 'exception-response', stateError: 2 }, 'a service that is not known')
  t.match(await client.ask({ apdu: 'rlrq', reason: 0 }), { apdu: 'rlre' })
})

t.test('blocks are asked for in order', async (t) => {
  const client = await setUp(t, [meter()])
  const next = (block: number): dlms.Apdu => ({ apdu: 'get-request-next', invoke: 0xc1, block })
  t.match(await client.ask(next(1)), { result: { error: 16 } }, 'no transfer')
  await client.ask({ apdu: 'get-request-normal', invoke: 0xc1, class: 7, obis: obis('1-0:99.2.0*255'), attribute: 2 })
  t.match(await client.ask(next(2)), { result: { error: 19 } }, 'a block that was not sent yet')
  t.match(await client.ask(next(1)), { result: { error: 16 } }, 'that ended the transfer')
})

t.test('noise ends the connection; the bus lives on', async (t) => {
  const bus = await startDlmsBus({ host: '127.0.0.1', port: 0, meters: [meter()] })
  t.teardown(() => bus.close())
  const noisy = connect(bus.port, '127.0.0.1')
  noisy.write('GET / HTTP/1.1\r\n\r\n')
  await once(noisy, 'close')
  const socket = connect(bus.port, '127.0.0.1')
  t.match(await new Client(socket).ask(aarq()), { apdu: 'aare', result: 0 })
  socket.destroy()
})

t.test('an address that is no wPort, or used twice, is refused', async (t) => {
  for (const meters of [[meter({ address: '0' })], [meter({ address: '70000' })], [meter(), meter()]]) {
    await t.rejects(startDlmsBus({ host: '127.0.0.1', port: 0, meters }), { code: 'VALIDATION' })
  }
})
