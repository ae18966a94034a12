import { type Clock, epochMs } from '@endeks/domain/time'
import { hash } from '@node-rs/argon2'
import fc from 'fast-check'
import t from 'tap'
import { defaultConnectLimits, holdMs, judgeConnect } from '../../src/broker/connect-rules.js'
import { Credentials } from '../../src/broker/credentials.js'
import { FrameScanner } from '../../src/broker/frame-scanner.js'

t.test('a connect is judged by its client id, its keepalive and its will', (t) => {
  const judge = (clientId: string, keepaliveS: number, hasWill = false) =>
    judgeConnect({ protocolVersion: 4, clientId, keepaliveS, hasWill }, defaultConnectLimits)
  t.equal(judge('gw-1', 15), undefined)
  t.match(judge('gw/1', 60), { returnCode: 2 })
  t.match(judge('', 60), { returnCode: 2 })
  t.match(judge('gw-1', 14), { returnCode: 5 })
  t.match(judge('gw-1', 0), { returnCode: 5 })
  t.match(judge('gw-1', 60, true), { returnCode: 5 })
  t.equal(holdMs(60), 10_000)
  t.equal(holdMs(15), 2_500)
  t.end()
})

const connect = Buffer.from([0x10, 2, 0, 0])

/** A packet whose length is written by MQTT's rule. */
function packet(type: number, length: number): Buffer {
  const head = [type]
  let rest = length
  do {
    head.push(rest > 127 ? (rest % 128) + 128 : rest)
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0xff)])
}

t.test('packets are followed however they are cut, and one byte too many is seen in its header', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }),
      (lengths, cuts) => {
        const scanner = new FrameScanner({ connectBytes: 100, packetBytes: 20_000, controlBytes: 100 })
        const stream = Buffer.concat([connect, ...lengths.map((length) => packet(0x32, length))])
        let position = 0
        for (let index = 0; position < stream.length; index += 1) {
          const size = cuts[index % cuts.length] ?? 1
          if (scanner.scan(stream.subarray(position, position + size)).refused !== undefined) return false
          position += size
        }
        return scanner.scan(packet(0x32, 20_001).subarray(0, 4)).refused !== undefined
      }
    ),
    { numRuns: 50 }
  )
  t.end()
})

t.test('a stream that is not MQTT ends at its first bytes', (t) => {
  const limits = { connectBytes: 100, packetBytes: 1_000, controlBytes: 100 }
  const why = (bytes: Buffer) => new FrameScanner(limits).scan(bytes).refused?.why ?? ''
  t.match(why(Buffer.from('GET /')), /begins no CONNECT/)
  t.match(why(Buffer.from([0x10, 101])), /101 bytes/)
  t.match(why(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x80])), /more than four bytes/)
  t.end()
})

t.test('a right password is remembered, and forgotten when the credential changes or the time is over', async (t) => {
  let now = 0
  const clock: Clock = { now: () => epochMs(now) }
  let stored: string | undefined = await hash('secret', { memoryCost: 1024, timeCost: 1 })
  const credentials = new Credentials(async () => stored, clock)
  const check = (password: string) => credentials.check('gw-1', Buffer.from(password))
  t.ok(await check('secret'))
  t.ok(await check('secret'))
  t.notOk(await check('other'))
  t.notOk(await check('s'.repeat(300)), 'an endless password is not even computed')
  now = 120_000
  t.ok(await check('secret'), 'computed again')
  stored = await hash('new', { memoryCost: 1024, timeCost: 1 })
  t.notOk(await check('secret'), 'the row is what counts')
  stored = undefined
  t.notOk(await check('new'), 'revoked')
})

t.test('too many that connect at once are told to come back', async (t) => {
  const stored = await hash('secret', { memoryCost: 1024, timeCost: 1 })
  const credentials = new Credentials(async () => stored, { now: () => epochMs(0) }, { atOnce: 1, waiting: 1 })
  const checks = await Promise.allSettled(['a', 'b', 'c'].map((password) => credentials.check('gw-1', Buffer.from(password))))
  t.same(
    checks.map((each) => each.status),
    ['fulfilled', 'fulfilled', 'rejected']
  )
})
