import { createCipheriv } from 'node:crypto'
import { obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import type { dlms } from '@endeks/gateway/codec'
import t from 'tap'
import { logicalDevices } from '../../../src/meters/dlms/logical-device.js'
import type { DlmsMeterOptions } from '../../../src/meters/dlms/options.js'
import { wrapperAddress } from '../../../src/meters/dlms/wrapper-line.js'
import { meter, aarq as openAarq, Table } from './bench.js'

/**
 * Goal: a whole ciphered conversation, byte by byte. Method: the bytes were made with OpenSSL from the layouts of the Green Book
 * (9.2.3.3, 9.2.7, 9.4.2), without any codec of this project. Keys are those of the Green Book's examples; the client is MMM 1.
 */
const now = epochMs(Date.UTC(2026, 10, 24, 10))
const keys = { global: '000102030405060708090A0B0C0D0E0F', authentication: 'D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF' } as const
const challenge = Buffer.from('503677524a323146c0c1c2c3c4c5c6c7', 'hex')
const manager = 1

function ciphered(options: DlmsMeterOptions = {}) {
  // Mounted 512 seconds ago: its counter begins at 0x200.
  const base = meter({ now, startedAt: epochMs(now - 0x200 * 1000), digits: 9, dlms: { keys, ...options } })
  return logicalDevices([{ ...base, indexAt: () => 1_234_567n }], wrapperAddress)
}
const table = (devices = ciphered(), client = manager) => new Table(client, devices, (size) => challenge.subarray(0, size))

const aarq =
  '6055a109060760857405080103a60a04084d4d4d00000000018a0207808b0760857405080205ac0a80084b35366956616759be230421' +
  '211f3000000101891b4b1c82db3d11a6620e835dfb523133d60a48fa21b1ee488c'
const aare =
  '6169a109060760857405080103a203020100a305a10302010ea40a04084b414d0000bc614e88020780890760857405080205aa128010' +
  '503677524a323146c0c1c2c3c4c5c6c7be230421281f30000002006d6e3b2d4e32ae15c60d27a9aaa7103c7d41116a49f62633a977'
const hlsReply = 'cb31300000010388546bec033408b73162ae13ec047b5eaf62656ac3c703693e6969bb2429cd06430459312dbff45bd3654a6b'
const hlsAnswer = 'cf2a300000020212ad35a6b59a87a719a56d425f2cfb41dd81558f58634b431732b0730c206559692202eaba'
const getValue = 'c81e3000000104fef57f4dd05b731906db2dc076a12d09aca313453365aa234d'
const value = 'cc1a30000002032c69f4ff2e86bd0c91708d2f91fd9e5f039e2be152'
const generalGet = 'db084d4d4d00000000011e3000000105810fbac7dc03d283e8e6e15b9fbeffa7ba6acfe4dd7da91f4a'
const generalValue = 'db084b414d0000bc614e1a30000002040f6c2ef53cf7128e7296a594dc4b5a08597e7c663a'
const onlyAuthenticated = 'c81e1000000106c001c200030800010000ff0200ed918f6464a7cf5c12b67ef0'
const rlrq = '6228800100be230421211f30000001079266c0523c07ae2b0a5ce27d0bf356208e2f7d4e693f5727b4fc'
const rlre = '6328800100be230421281f3000000205080de7246fba92e95d32739bf76286d52389779e87d2a5e48a35'

/** The second association of the client, with a dedicated key in its AARQ. */
const dedicated: readonly (readonly [string, string])[] = [
  [
    '6066a109060760857405080103a60a04084d4d4d00000000018a0207808b0760857405080205ac0a80084b35366956616759be340432' +
      '21303000000201ce7218a9548b4cc655fdb321905006c582bfa0397c90cb33bd0d919085292c3cd5c0115fc707e3e0255dfa',
    '6169a109060760857405080103a203020100a305a10302010ea40a04084b414d0000bc614e88020780890760857405080205aa128010' +
      '503677524a323146c0c1c2c3c4c5c6c7be230421281f300000020671a75bf2397088cb55abe61a47c3805b3a87642a62c34996ee9a'
  ],
  [
    'd3313000000000dd0c7c5816edbd70f845bd67fce34d9b7ecb383f58749b88c50cee24aff51f2e3a4fa47f2e14e742e9ac7b3c',
    'd72a3000000000e24f23a72e5d986e78edf75d714ddb457bb0e5d86e1349d3d4735c54048df824e15777542b'
  ],
  ['d01e3000000001c8cba46b3660755b27a32bc09e6bf424e1a36830fac196124a', 'd41a3000000001e024df3b3af28037f5f1ed80b7893120d4561ad0da']
]

/** exception-response: service-not-allowed with operation-not-possible, deciphering-error, invocation-counter-error */
const notAllowed = 'd80101'
const decipheringError = 'd80105'
const counterError = (least: string) => `d80106${least}`
/** AARE: rejected-permanent, authentication-failure */
const authenticationFailure = '6117a109060760857405080103a203020101a305a10302010d'

t.test('HLS-5 with global, general and dedicated ciphering, byte by byte', (t) => {
  const client = table()
  t.equal(client.hex(aarq), aare, 'passes 1 and 2')
  t.equal(client.hex('c001c100010000600100ff0200'), notAllowed, 'in the clear, nothing')
  t.equal(client.hex(hlsReply), hlsAnswer, 'passes 3 and 4')
  t.equal(client.hex(getValue), value, 'glo-get is answered by glo-get')
  t.equal(client.hex(generalGet), generalValue, 'general-glo by general-glo')
  t.equal(client.hex(onlyAuthenticated), notAllowed, 'less protection than the policy asks for')
  t.equal(client.hex(rlrq), rlre)
  for (const [request, answer] of dedicated) t.equal(client.hex(request), answer, `${request.slice(0, 2)} with a dedicated key`)
  t.equal(client.hex(dedicated[2]?.[0] ?? ''), counterError('00000002'), 'the dedicated key has a counter of its own')
  t.end()
})

t.test('what is not authentic, or was sent before, is refused', (t) => {
  const devices = ciphered()
  const client = table(devices)
  client.hex(aarq)
  t.equal(client.hex(getValue), notAllowed, 'before the client has answered its challenge')
  t.equal(client.hex(hlsReply), counterError('00000105'), 'the GET was authentic: its counter is the last one')
  t.equal(client.hex(aarq), authenticationFailure, 'an AARQ played back')
  const fresh = table()
  fresh.hex(aarq)
  fresh.hex(hlsReply)
  t.equal(fresh.hex(getValue.replace('4d', '4c')), decipheringError, 'a bit of the text')
  t.equal(fresh.hex(`${getValue.slice(0, -2)}4c`), decipheringError, 'a bit of the tag')
  t.equal(fresh.hex(getValue), value, 'the right one is still taken')
  t.equal(fresh.hex(getValue), counterError('00000105'), 'once')
  t.equal(fresh.hex('d01e3000000001c8cba46b3660755b27a32bc09e6bf424e1a36830fac196124a'), decipheringError, 'a key that was not agreed')
  t.equal(fresh.hex('6203800100'), '6303800100', 'a release in the clear')
  t.equal(fresh.hex(generalGet), notAllowed, 'nothing without an association')
  t.end()
})

t.test('a wrong answer to the challenge ends the association', (t) => {
  const devices = ciphered()
  const client = new Table(manager, devices, (size) => new Uint8Array(size))
  client.hex(aarq)
  const refused = client.hex(hlsReply)
  t.match(refused, /^cf163000000201.{34}$/, 'five bytes in glo-action: a result, and nothing that proves the meter')
  t.equal(client.hex(getValue), notAllowed)
  t.end()
})

t.test('keys that are not the meter’s', (t) => {
  t.equal(table(ciphered({ faults: { wrongKey: true } })).hex(aarq), authenticationFailure)
  t.equal(table(ciphered({ keys: { ...keys, authentication: keys.global } })).hex(aarq), authenticationFailure)
  const plain = '601da109060760857405080101be10040e01000000065f1f0400001014ffff'
  t.match(table().hex(plain), /a203020101a305a103020102/, 'a context without ciphering')
  const noTitle = aarq.replace('6055', '6049').replace('a60a04084d4d4d0000000001', '')
  t.match(table().hex(noTitle), /a203020101a305a103020103/, 'a client without a title')
  t.match(table().hex(aarq.replace('0760857405080205', '0760857405080202')), /a203020101a305a10302010b/, 'another mechanism')
  t.end()
})

t.test('the public client reads the counter that the next message has to go beyond', (t) => {
  const devices = ciphered()
  const counter = () => {
    const client = table(devices, 16)
    client.hex('601da109060760857405080101be10040e01000000065f1f0400001014ffff')
    return client.hex('c001c1000100002b0100ff0200')
  }
  t.equal(counter(), 'c401c1000600000000')
  const client = table(devices)
  client.hex(aarq)
  t.equal(counter(), 'c401c1000600000101')
  client.hex(hlsReply)
  t.equal(counter(), 'c401c1000600000103')
  t.end()
})

t.test('the meter’s own counter goes on over connections, and jumps back once where it is told to', (t) => {
  const sent = (devices: ReturnType<typeof ciphered>) => Number.parseInt(table(devices).hex(aarq).slice(-60, -52), 16)
  const steady = ciphered()
  t.same([sent(steady), sent(ciphered())], [0x200, 0x200])
  table(steady).hex('6203800100')
  t.equal(table(steady).hex(getValue), notAllowed, 'an association belongs to its connection')
  const jumping = ciphered({ faults: { counterJumpsBack: { afterMessages: 2 } } })
  const client = table(jumping)
  client.hex(aarq)
  client.hex(hlsReply)
  t.equal(client.hex(getValue).slice(6, 14), '00000201', 'after 0x202')
  t.equal(client.hex(generalGet).slice(24, 32), '00000202')
  t.end()
})

t.test('a password opens the reading association, and nothing else does', (t) => {
  const devices = logicalDevices([meter({ dlms: { password: '12345678' } })], wrapperAddress)
  const low = (password: string, mechanism = '01') => {
    const secret = Buffer.from(password).toString('hex')
    const size = (value: string) => (value.length / 2).toString(16).padStart(2, '0')
    const value = `80${size(secret)}${secret}`
    const fields = `a1090607608574050801018a0207808b07608574050802${mechanism}ac${size(value)}${value}be10040e01000000065f1f0400001014ffff`
    return `60${size(fields)}${fields}`
  }
  const answer = (request: string, client = 32) =>
    /a2030201(..)a305a1030201(..)/.exec(table(devices, client).hex(request))?.slice(1).join(' ')
  const none = '601da109060760857405080101be10040e01000000065f1f0400001014ffff'
  const cases: readonly (readonly [string, string, number, string])[] = [
    ['the right one', low('12345678'), 32, '00 00'],
    ['a wrong one', low('12345679'), 32, '01 0d'],
    ['a beginning of it', low('1234'), 32, '01 0d'],
    ['none', none, 32, '01 0e'],
    ['another mechanism', low('12345678', '02'), 32, '01 0b'],
    ['the public client without one', none, 16, '00 00'],
    ['the public client with one', low('12345678'), 16, '01 0b'],
    ['a client that the meter does not know', none, 77, '01 01']
  ]
  for (const [what, request, client, expected] of cases) t.equal(answer(request, client), expected, what)
  t.end()
})

t.test('keys are exchanged under the master key, the policy is only made stricter', (t) => {
  const master = '00112233445566778899AABBCCDDEEFF'
  const devices = logicalDevices(
    [meter({ dlms: { keys: { ...keys, master }, associations: [{ client: 16, mechanism: 'none', rights: 'manage' }] } })],
    wrapperAddress
  )
  const client = new Table(16, devices)
  client.ask(openAarq())
  const setup = { class: 64, obis: obis('0-0:43.0.0*255') }
  const act = (method: number, parameters: dlms.DlmsData) => {
    const answer = client.ask({ apdu: 'action-request-normal', invoke: 0xc1, method: { ...setup, method }, parameters })
    return answer?.apdu === 'action-response-normal' ? answer.response.result : answer?.apdu
  }
  const wrap = createCipheriv('id-aes128-wrap', Buffer.from(master, 'hex'), Buffer.alloc(8, 0xa6))
  const wrapped = wrap.update(Buffer.alloc(16, 0x22))
  const transfer = (id: number, value: Uint8Array): dlms.DlmsData => ({
    type: 'array',
    value: [
      {
        type: 'structure',
        value: [
          { type: 'enum', value: id },
          { type: 'octet-string', value }
        ]
      }
    ]
  })
  t.equal(act(2, transfer(0, wrapped)), 0)
  t.same(devices[0]?.standing.device.keys?.global, Buffer.alloc(16, 0x22))
  t.equal(act(2, transfer(0, Buffer.alloc(24))), 250, 'it does not unwrap')
  t.equal(act(2, transfer(7, wrapped)), 12, 'no such key')
  t.equal(act(1, { type: 'enum', value: 3 }), 0)
  t.equal(act(1, { type: 'enum', value: 1 }), 250)
  t.end()
})
