import { deepStrictEqual } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { obis } from '@endeks/domain/metering'
import fc from 'fast-check'
import t from 'tap'
import { guarded } from '../../../src/protocols/dlms/codec/fault.js'
import {
  type Apdu,
  authenticationFields,
  CipherContext,
  type CipheredApdu,
  type CipherOptions,
  checkGmacReply,
  type DlmsData,
  decodeApdu,
  encodeApdu,
  gmacReply,
  maxInvocationCounter,
  openContents,
  SecureChannel,
  sealContents,
  WrapperAssembler
} from '../../../src/protocols/dlms/codec/index.js'

const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/vectors')
const answers = resolve(vectors, 'dlms-security-kat.jsonl')
const sessions = resolve(vectors, 'dlms-wrapper-sessions.json')
const missing = (path: string) => (existsSync(path) ? false : `${path} is missing`)

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const codeOf = (work: () => unknown) => {
  const result = guarded(work)
  return result.ok ? 'fine' : result.error.code
}

interface KnownAnswer {
  readonly name: string
  readonly op: string
  readonly sc: string
  readonly ek: string
  readonly ak: string
  readonly system_title: string
  readonly ic: string
  readonly plain: string
  readonly cipher_and_tag: string
  readonly challenge: string
  readonly tag: string
}

const sealOf = (row: KnownAnswer) => ({
  control: Number.parseInt(row.sc, 16),
  systemTitle: bytes(row.system_title),
  invocationCounter: Number.parseInt(row.ic, 16),
  encryptionKey: bytes(row.ek),
  authenticationKey: bytes(row.ak)
})

t.test('known answers of the Green Book', { skip: missing(answers) }, (t) => {
  const rows = readFileSync(answers, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as KnownAnswer)
  for (const row of rows.filter((each) => each.op === 'gcm')) {
    const seal = sealOf(row)
    t.equal(hex(sealContents(seal, bytes(row.plain))), row.cipher_and_tag.toLowerCase(), `${row.name}: sealed`)
    t.equal(hex(openContents(seal, bytes(row.cipher_and_tag))), row.plain.toLowerCase(), `${row.name}: opened`)
  }
  for (const row of rows.filter((each) => each.op === 'gmac')) {
    const { control, ...side } = sealOf(row)
    const reply = gmacReply(side, bytes(row.challenge))
    t.equal(hex(reply), `${row.sc}${row.ic}${row.tag}`.toLowerCase(), row.name)
    t.equal(checkGmacReply(side, { challenge: bytes(row.challenge), reply, least: 1 }), 1)
    t.equal(
      codeOf(() => checkGmacReply(side, { challenge: bytes(row.challenge), reply, least: 2 })),
      'DLMS_COUNTER'
    )
    t.equal(control, 0x10)
  }
  t.same(rows.map((row) => row.op).sort(), ['fcs16', 'gcm', 'gcm', 'gmac'], 'every row of the file is known')
  t.end()
})

t.test('a session of two other makers opens with its keys', { skip: missing(sessions) }, (t) => {
  const all = JSON.parse(readFileSync(sessions, 'utf8')) as {
    readonly scenario: string
    readonly frames: readonly { readonly dir: string; readonly hex: string }[]
    readonly keys?: { readonly ek: string; readonly ak: string; readonly server_system_title: string }
  }[]
  const session = all.find((each) => each.scenario.startsWith('wrapper-HLS5'))
  const keys = session?.keys
  if (session === undefined || keys === undefined) throw new Error('the ciphered session is gone')
  const apdus = ['tx', 'rx'].flatMap((direction) => {
    const sent = session.frames.filter((frame) => frame.dir === direction).map((frame) => frame.hex)
    return new WrapperAssembler().push(bytes(sent.join(''))).map((frame) => decodeApdu(frame.apdu))
  })
  const [aarq, request, aare, response] = apdus.map((each) => (each.ok ? each.value : undefined))
  if (aarq?.apdu !== 'aarq' || aare?.apdu !== 'aare') throw new Error('the association is gone')
  const context = (peerTitle: Uint8Array) =>
    new CipherContext({
      keys: { global: bytes(keys.ek), authentication: bytes(keys.ak) },
      ownTitle: peerTitle,
      peerTitle,
      required: 'both'
    })
  const client = context(bytes('4752583132333435'))
  const server = context(bytes(keys.server_system_title))
  t.match(openInformation(client, aarq.userInformation), { apdu: 'initiate-request', dlmsVersion: 6 })
  t.match(openInformation(server, aare.userInformation), { apdu: 'initiate-response', dlmsVersion: 6, vaaName: 7 })
  // The answers to the challenges are data of an ACTION. The client's is right; the server's is not, said its client too.
  const [asked, answered] = [client.open(closed(request)), server.open(closed(response))]
  const parameters = asked.apdu === 'action-request-normal' ? asked.parameters : undefined
  const returned = answered.apdu === 'action-response-normal' ? answered.response.returned : undefined
  const side = { encryptionKey: bytes(keys.ek), authenticationKey: bytes(keys.ak) }
  const code = (systemTitle: Uint8Array, challenge: Uint8Array | undefined, data: DlmsData | undefined) => {
    if (challenge === undefined || data?.type !== 'octet-string') throw new Error('the challenge or its answer is gone')
    return codeOf(() => checkGmacReply({ ...side, systemTitle }, { challenge, reply: data.value }))
  }
  t.equal(code(bytes('4752583132333435'), aare.respondingAuthenticationValue, parameters), 'fine')
  const given = returned !== undefined && 'data' in returned ? returned.data : undefined
  t.equal(code(bytes(keys.server_system_title), aarq.callingAuthenticationValue, given), 'DLMS_WRONG_KEY_OR_DAMAGED')
  t.end()
})

function openInformation(context: CipherContext, information: unknown): Apdu {
  if (typeof information !== 'object' || information === null || !('bytes' in information) || !(information.bytes instanceof Uint8Array))
    throw new Error('the user information is not ciphered')
  return context.open(ciphered(information.bytes))
}

function closed(apdu: Apdu | undefined): CipheredApdu {
  if (apdu === undefined || !('contents' in apdu)) throw new Error('not a ciphered APDU')
  return apdu
}

function ciphered(encoded: Uint8Array): CipheredApdu {
  const decoded = decodeApdu(encoded)
  return closed(decoded.ok ? decoded.value : undefined)
}

t.test('an AARQ with a password is that of the public vectors', (t) => {
  const initiate = { apdu: 'initiate-request', responseAllowed: true, dlmsVersion: 6, conformance: 0x00_7e1f, maxPduSize: 1200 } as const
  const aarq: Apdu = {
    apdu: 'aarq',
    applicationContextName: '2.16.756.5.8.1.1',
    ...authenticationFields('low', Buffer.from('12345678')),
    userInformation: initiate
  }
  t.equal(
    hex(encodeApdu(aarq)),
    '6036a1090607608574050801018a0207808b0760857405080201ac0a80083132333435363738be10040e01000000065f1f0400007e1f04b0'
  )
  const challenge = Buffer.from('K56iVagY')
  t.equal(
    hex(encodeApdu({ ...aarq, ...authenticationFields('gmac', challenge) })),
    '6036a1090607608574050801018a0207808b0760857405080205ac0a80084b35366956616759be10040e01000000065f1f0400007e1f04b0'
  )
  t.end()
})

const globalKey = bytes('000102030405060708090a0b0c0d0e0f')
const dedicatedKey = bytes('00112233445566778899aabbccddeeff')
const authenticationKey = bytes('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf')
const keys = { global: globalKey, dedicated: dedicatedKey, broadcast: bytes('0f'.repeat(16)), authentication: authenticationKey }
const clientTitle = bytes('4d4d4d0000000001')
const meterTitle = bytes('4d4d4d0000bc614e')
const pair = (client: Partial<CipherOptions> = {}, meter: Partial<CipherOptions> = {}) => ({
  client: new CipherContext({ keys, ownTitle: clientTitle, peerTitle: meterTitle, ...client }),
  meter: new CipherContext({ keys, ownTitle: meterTitle, peerTitle: clientTitle, ...meter })
})
const request: Apdu = { apdu: 'get-request-normal', invoke: 0xc1, class: 3, obis: obis('8-0:1.0.0*255'), attribute: 2 }

t.test('opening inverts protecting, under every key, form and protection', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom('global' as const, 'broadcast' as const, 'dedicated' as const),
      fc.constantFrom('service' as const, 'general' as const),
      fc.constantFrom('authenticated' as const, 'encrypted' as const, 'both' as const),
      fc.integer({ min: 0, max: maxInvocationCounter }),
      (key, form, protection, counter) => {
        const { client, meter } = pair({ send: { [key]: counter } }, { required: protection })
        const sent = client.protect({ apdu: request, key, form, protection })
        deepStrictEqual(meter.open(ciphered(encodeApdu(sent))), request)
        deepStrictEqual([sent.invocationCounter, client.nextToSend(key), meter.nextToReceive(key)], [counter, counter + 1, counter + 1])
        if (codeOf(() => meter.open(sent)) !== 'DLMS_COUNTER') throw new Error('a repeated message was taken')
      }
    ),
    { numRuns: 200 }
  )
  t.end()
})

t.test('whatever bit is flipped, nothing is taken', (t) => {
  for (const protection of ['authenticated', 'both'] as const) {
    const { client, meter } = pair({}, { required: protection })
    const sent = encodeApdu(client.protect({ apdu: request, key: 'global', form: 'general', protection }))
    const codes = new Map<string, number>()
    for (let bit = 0; bit < sent.length * 8; bit += 1) {
      const changed = Uint8Array.from(sent)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const decoded = decodeApdu(changed)
      const apdu = decoded.ok && 'contents' in decoded.value ? decoded.value : undefined
      const code = apdu === undefined ? 'not ciphered' : codeOf(() => meter.open(apdu))
      codes.set(code, (codes.get(code) ?? 0) + 1)
    }
    t.notOk(codes.has('fine'), JSON.stringify([...codes]))
    t.equal(meter.nextToReceive('global'), 0, 'no counter was believed')
    t.ok((codes.get('DLMS_WRONG_KEY_OR_DAMAGED') ?? 0) > 100)
  }
  t.end()
})

t.test('refusals say only what can be known', (t) => {
  const wrong = { ...keys, global: bytes('ff'.repeat(16)) }
  const open = (
    client: Partial<CipherOptions>,
    meter: Partial<CipherOptions>,
    protection: 'encrypted' | 'both' | 'authenticated' = 'both'
  ) => {
    const both = pair(client, meter)
    const sent = both.client.protect({ apdu: request, key: 'global', form: 'service', protection })
    const result = guarded(() => both.meter.open(sent))
    return result.ok ? 'fine' : `${result.error.code}: ${result.error.message}`
  }
  t.match(open({}, { keys: wrong }), /^DLMS_WRONG_KEY_OR_DAMAGED: wrong key or damaged/)
  t.match(open({}, { keys: { ...keys, authentication: globalKey } }), /^DLMS_WRONG_KEY_OR_DAMAGED/)
  t.match(open({}, { peerTitle: meterTitle }), /^DLMS_WRONG_KEY_OR_DAMAGED/, 'another system title')
  t.match(open({}, { keys: wrong, required: 'encrypted' }, 'encrypted'), /^DLMS_WRONG_KEY_OR_DAMAGED/, 'without a tag')
  t.match(open({ send: { global: 7 } }, { receive: { global: 8 } }), /^DLMS_COUNTER: invocation counter 7 .* at least 8/)
  t.match(
    open({}, { keys: wrong, receive: { global: 8 } }),
    /^DLMS_WRONG_KEY_OR_DAMAGED/,
    'of what is not authentic the counter says nothing'
  )
  t.match(open({}, {}, 'encrypted'), /^DLMS_SECURITY_LEVEL/)
  t.match(open({}, {}, 'authenticated'), /^DLMS_SECURITY_LEVEL/)
  t.match(open({}, { keys: { authentication: authenticationKey } }), /^DLMS_KEY: there is no global key/)
  t.match(open({}, { keys: { ...keys, global: bytes('00') } }), /^DLMS_KEY/)
  t.end()
})

t.test('what must not be sent is not sent', (t) => {
  const { client } = pair({ send: { global: maxInvocationCounter + 1 } })
  t.equal(
    codeOf(() => client.protect({ apdu: request, key: 'global', form: 'service' })),
    'DLMS_COUNTER'
  )
  t.equal(
    codeOf(() => client.protect({ apdu: { apdu: 'rlrq' }, key: 'dedicated', form: 'service' })),
    'DLMS_UNSUPPORTED'
  )
  t.end()
})

t.test('control bytes, titles and contents that do not fit are refused', (t) => {
  const sent = pair().client.protect({ apdu: request, key: 'global', form: 'general' })
  const open = (changes: Partial<CipheredApdu>, meter: Partial<CipherOptions> = {}) =>
    codeOf(() => pair({}, meter).meter.open({ ...sent, ...changes }))
  t.equal(open({ control: 0x31 }), 'DLMS_UNSUPPORTED', 'suite 1')
  t.equal(open({ control: 0xb0 }), 'DLMS_UNSUPPORTED', 'compressed')
  t.equal(open({ control: 0x00 }), 'DLMS_SECURITY_LEVEL')
  t.equal(open({ control: 0x70 }), 'DLMS_WRONG_KEY_OR_DAMAGED', 'said to be broadcast')
  t.equal(open({ systemTitle: meterTitle }), 'DLMS_SYSTEM_TITLE', 'of somebody else')
  const { client } = pair()
  const untitled = { ...client.protect({ apdu: request, key: 'global', form: 'general' }), systemTitle: new Uint8Array(0) }
  t.equal(
    codeOf(() => pair().meter.open(untitled)),
    'fine',
    'a title that both know may be left out'
  )
  const stranger = new CipherContext({ keys, ownTitle: meterTitle })
  t.equal(
    codeOf(() => stranger.open(untitled)),
    'DLMS_SYSTEM_TITLE',
    'one that nobody knows may not'
  )
  const swapped: CipheredApdu = { apdu: 'glo-set-request', control: sent.control, invocationCounter: 0, contents: sent.contents }
  t.equal(
    codeOf(() => pair().meter.open(swapped)),
    'DLMS_UNEXPECTED',
    'an authentic GET inside a SET'
  )
  const seal = { control: 0x30, systemTitle: clientTitle, invocationCounter: 0, encryptionKey: globalKey, authenticationKey }
  const nonsense = { ...sent, contents: sealContents(seal, bytes('c004')) }
  t.equal(
    codeOf(() => pair().meter.open(nonsense)),
    'DLMS_DECIPHERED',
    'authentic bytes that are no APDU'
  )
  t.end()
})

t.test('answers to a challenge', (t) => {
  const side = { systemTitle: meterTitle, encryptionKey: globalKey, authenticationKey }
  const challenge = Buffer.from('P6wRJ21F')
  const reply = gmacReply({ ...side, invocationCounter: 5 }, challenge)
  const check = (changes: object) => codeOf(() => checkGmacReply(side, { challenge, reply, ...changes }))
  t.equal(check({}), 'fine')
  t.equal(check({ challenge: Buffer.from('P6wRJ21G') }), 'DLMS_WRONG_KEY_OR_DAMAGED')
  t.equal(check({ reply: reply.subarray(1) }), 'DLMS_AUTHENTICATION')
  t.equal(check({ reply: Uint8Array.of(0x30, ...reply.subarray(1)) }), 'DLMS_AUTHENTICATION')
  t.equal(check({ challenge: Buffer.from('short') }), 'DLMS_AUTHENTICATION')
  t.equal(
    codeOf(() => gmacReply({ ...side, invocationCounter: 5 }, challenge, challenge)),
    'DLMS_AUTHENTICATION',
    'mirrored'
  )
  t.end()
})

// Meters count what a client sends by the key, or all of it by one counter: sent counters must suit both.
t.test('under a dedicated key a client goes on counting where it was with the global one', (t) => {
  const dedicatedKey = bytes('00112233445566778899aabbccddeeff')
  const options = { keys: { encryption: globalKey, authentication: authenticationKey }, protection: 'both', form: 'service' } as const
  const channel = new SecureChannel({ ...options, ownTitle: clientTitle, dedicatedKey })
  const clock: Apdu = { ...request, class: 8, obis: obis('0-0:1.0.0*255') }
  const counterOf = (sent: Apdu): unknown => 'invocationCounter' in sent && sent.invocationCounter
  channel.skipTo(7)
  const before = channel.protect(clock)
  channel.establish()
  const behind = [channel.protect(clock), channel.protect(clock)]
  t.same([before, ...behind].map(counterOf), [7, 8, 9])
  t.same(
    behind.map(({ apdu }) => apdu),
    ['ded-get-request', 'ded-get-request']
  )
  t.equal(channel.nextToSend, 10, 'and a release goes beyond them')
  t.end()
})
