import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { dlmsCodec } from '../../../src/protocols/dlms/codec/index.js'

interface RecordedSession {
  readonly encryptionKey: string
  readonly authenticationKey: string
  readonly register: string
  readonly raw: string
  readonly scaler: number
  readonly unit: string
  readonly device: string
  readonly request: string
  readonly response: string
}

const path = resolve(import.meta.dirname, '../../../../test/vectors/dlms-hls-session.json')
const session = JSON.parse(readFileSync(path, 'utf8')) as RecordedSession
const at = epochMs(Date.UTC(2026, 10, 24, 12))
const profile = {
  name: 'recorded',
  protocol: 'dlms',
  source: 'the example server of another maker',
  identity: { obis: '0-0:42.0.0*255', class: 1, attribute: 2 },
  registers: [{ obis: session.register, class: 3 }],
  association: { client: 1, authentication: 'hls-gmac', protection: 'both' }
}

// That a session which was read is also evidence. A server of another maker ends its session with an RLRE whose length lies.
t.test('a session of HLS-5 with another maker’s server decodes whatever answers its release', (t) => {
  const secrets = { encryption: Buffer.from(session.encryptionKey, 'hex'), authentication: Buffer.from(session.authenticationKey, 'hex') }
  const decode = (response: Uint8Array) => {
    const request = Buffer.from(session.request, 'hex')
    return dlmsCodec.decodeEvidence({ request, response, at, profile, zone: 'UTC', keys: { name: 'recorded', version: 1, secrets } })
  }
  const whole = Buffer.from(session.response, 'hex')
  const { register: obis, raw, scaler, unit, device } = session
  const reading = { obis, at, raw: BigInt(raw), scaler, unit, status: 0 }
  t.same(decode(whole), { ok: true, value: { identity: { id: device }, readings: [reading] } })
  const releaseSize = 8 + 42
  t.same(decode(whole.subarray(0, whole.length - releaseSize)), decode(whole), 'so it does where the meter hangs up')
  const damaged = Buffer.from(whole)
  const answer = whole.length - releaseSize - 1
  damaged.writeUInt8(whole.readUInt8(answer) ^ 1, answer)
  t.match(decode(damaged), { ok: false, error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED' } }, 'but nothing before the release is passed over')
  t.end()
})
