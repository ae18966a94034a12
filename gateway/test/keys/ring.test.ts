import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import type { EpochMs } from '@endeks/domain/time'
import t from 'tap'
import { KeyRing } from '../../src/keys/ring.js'
import type { KeyKind } from '../../src/protocols/protocol.js'
import { deriveOnce } from '../support/derive-once.js'

const secret = 'sixteen or more characters'
const clock = { now: () => 1_800_000_000_000 as EpochMs }
const derive = deriveOnce()
const open = (directory: string, other = secret) => KeyRing.open({ directory, secret: other, clock, derive })

const key = (byte: number): Uint8Array => new Uint8Array(16).fill(byte)
const meter = (name: string, secrets: Partial<Record<KeyKind, Uint8Array>>) => ({ name, secrets })

t.test('a secret that changes makes a new version, and one that comes back gets its old one', async (t) => {
  const directory = join(t.testdir(), 'keys')
  const ring = await open(directory)
  t.same(await ring.import([meter('a', { encryption: key(1) }), meter('b', { encryption: key(2) })]), {
    added: 2,
    changed: 0,
    unchanged: 0
  })
  t.same(await ring.import([meter('a', { encryption: key(1) }), meter('b', { password: key(9) })]), { added: 0, changed: 1, unchanged: 1 })
  t.match(ring.keysOf('b'), { name: 'b', version: 2, secrets: { encryption: key(2), password: key(9) } }, 'kinds of an earlier file stay')
  await ring.import([meter('a', { encryption: key(3) })])
  t.equal(ring.keysOf('a')?.version, 2)
  await ring.import([meter('a', { encryption: key(1) })])
  t.match(ring.keysOf('a'), { version: 1, secrets: { encryption: key(1) } })
  await ring.import([meter('a', { encryption: key(4) })])
  t.equal(ring.keysOf('a')?.version, 3)
  const again = await open(directory)
  t.same(again.list(), [
    { name: 'a', version: 3, kinds: ['encryption'], importedAt: clock.now() },
    { name: 'b', version: 2, kinds: ['encryption', 'password'], importedAt: clock.now() }
  ])
  t.ok(await again.remove('a'))
  t.notOk(await again.remove('a'))
  t.notOk(again.has('a'))
  t.equal(again.keysOf('a'), undefined)
  await again.import([meter('a', { encryption: key(1) })])
  t.equal((await open(directory)).keysOf('a')?.version, 4, 'a version of keys that were removed is not given again')
})

t.test('the file is for its owner only, and holds no secret', async (t) => {
  const directory = join(t.testdir(), 'keys')
  await (await open(directory)).import([meter('a', { encryption: key(0xab), password: Buffer.from('letmein-letmein') })])
  const path = join(directory, 'ring.json')
  t.equal(statSync(path).mode & 0o777, 0o600)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  const text = readFileSync(path, 'utf8')
  for (const each of [Buffer.from(key(0xab)).toString('base64').slice(0, 12), 'abababab', 'letmein', secret]) t.notOk(text.includes(each))
})

t.test('another secret and a changed file are one code, and never more is said than can be known', async (t) => {
  const directory = t.testdir()
  await (await open(directory)).import([meter('a', { encryption: key(1) }), meter('b', { encryption: key(2) })])
  const path = join(directory, 'ring.json')
  const good = readFileSync(path, 'utf8')
  await t.rejects(open(directory, 'quite another secret'), { code: 'KEYS_UNREADABLE', message: /either .* or/ })
  type Ring = { entries: { name: string; current: number; versions: { version: number; secrets: object }[] }[]; seal: string }
  const changed = (change: (ring: Ring) => void): string => {
    const ring = JSON.parse(good) as Ring
    change(ring)
    return JSON.stringify(ring)
  }
  const [swapped, dropped, renamed] = [
    changed(({ entries: [a, b] }) => void Object.assign(a ?? {}, { versions: b?.versions })),
    changed((ring) => void ring.entries.pop()),
    changed((ring) => void Object.assign(ring.entries[0] ?? {}, { name: 'c' }))
  ]
  for (const text of [swapped, dropped, renamed, good.slice(0, 50), '', '[]', good.replace('endeks-keys-1', 'endeks-keys-2')]) {
    t.not(text, good)
    writeFileSync(path, text)
    await t.rejects(open(directory), { code: 'KEYS_UNREADABLE' })
  }
  writeFileSync(path, good)
  t.ok((await open(directory)).has('a'))
})

t.test('two imports at once: one is done, the other is told to come again', async (t) => {
  const directory = t.testdir()
  const [one, other] = await Promise.all([open(directory), open(directory)])
  await one.import([meter('a', { encryption: key(1) })])
  await t.rejects(other.import([meter('b', { encryption: key(2) })]), { code: 'KEYS_BUSY' })
  t.same(
    (await open(directory)).list().map(({ name }) => name),
    ['a']
  )
})

t.test('whatever prints keys prints their name and version', async (t) => {
  const ring = await open(t.testdir())
  await ring.import([meter('a', { encryption: key(0x41), password: Buffer.from('letmein') })])
  const keys = ring.keysOf('a')
  t.equal(JSON.stringify(keys), '{"name":"a","version":1}')
  t.equal(inspect(keys, { showHidden: true, depth: 9 }), "HeldKeys { name: 'a', version: 1, [secrets]: [Getter] }")
  t.notOk(/letmein|AAAA|41414141/.test(inspect(ring, { showHidden: true, depth: 9 })))
})
