import t from 'tap'
import { Pace } from '../../src/uplink/pace.js'

/** What a gateway that always has something to replay sends in so many seconds, with so many live values a second. */
function replayed(seconds: number, options: { rate: number; bytes: number; messageBytes: number; livePerSecond: number }): number {
  let now = 0
  const pace = new Pace({ messagesPerSecond: options.rate, bytesPerSecond: options.bytes }, () => now)
  let sent = 0
  let nextLive = 0
  while (now < seconds * 1_000) {
    for (; options.livePerSecond > 0 && nextLive <= now; nextLive += 1_000 / options.livePerSecond) pace.live(options.messageBytes)
    for (let left = pace.allowance(); left > 0; left -= 1) {
      pace.replayed(options.messageBytes)
      sent += 1
    }
    now += Math.min(50, Math.max(1, pace.waitMs()))
  }
  return sent
}

t.test('what had piled up is sent at the rate in messages or in bytes, whichever is reached first', (t) => {
  const seconds = 60
  const messages = replayed(seconds, { rate: 100, bytes: 1_000_000, messageBytes: 1_000, livePerSecond: 0 })
  t.ok(messages >= 5_900 && messages <= 6_800, `${messages}: a second's worth at once, then the rate`)
  const bytes = replayed(seconds, { rate: 100, bytes: 100_000, messageBytes: 10_000, livePerSecond: 0 })
  t.ok(bytes >= 590 && bytes <= 700, `${bytes}`)
  t.end()
})

t.test('live values are taken from what may be replayed, but a tenth of the rate is always left', (t) => {
  const half = replayed(60, { rate: 100, bytes: 1_000_000, messageBytes: 1_000, livePerSecond: 50 })
  t.ok(half >= 3_000 && half <= 4_000, `${half}`)
  const none = replayed(60, { rate: 100, bytes: 1_000_000, messageBytes: 1_000, livePerSecond: 150 })
  t.ok(none >= 550 && none <= 900, `${none}`)
  t.end()
})
