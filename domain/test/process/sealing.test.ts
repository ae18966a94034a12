import { inspect } from 'node:util'
import t from 'tap'
import { newSalt, Sealer } from '../../src/process/index.js'

const secret = 'a secret of some length'
const plain = Uint8Array.from(Buffer.from('00112233445566778899aabbccddeeff', 'hex'))

t.test('what was sealed opens with the same secret, salt and context, and with no other', async (t) => {
  const salt = newSalt()
  const [sealer, again, otherSalt, otherSecret] = await Promise.all([
    Sealer.derive(secret, salt),
    Sealer.derive(secret, salt),
    Sealer.derive(secret, newSalt()),
    Sealer.derive(`${secret}!`, salt)
  ])
  const sealed = sealer.seal(plain, ['a', 'b'])
  t.same(again.open(sealed, ['a', 'b']), plain)
  t.equal(otherSalt.open(sealed, ['a', 'b']), undefined)
  t.equal(otherSecret.open(sealed, ['a', 'b']), undefined)
  for (const context of [['a', 'c'], ['ab'], ['a', 'b', ''], ['a,b'], []])
    t.equal(sealer.open(sealed, context), undefined, context.join('|'))
  t.notSame(sealer.seal(plain, ['a', 'b']), sealed, 'a nonce is used once')
})

t.test('no byte can be changed or left out', async (t) => {
  const sealer = await Sealer.derive(secret, newSalt())
  const sealed = sealer.seal(plain, ['a'])
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Uint8Array.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.equal(sealer.open(changed, ['a']), undefined)
    t.equal(sealer.open(sealed.subarray(0, index), ['a']), undefined)
  }
  t.same(sealer.open(sealer.seal(new Uint8Array(), []), []), new Uint8Array())
})

t.test('whatever prints a sealer prints no key', async (t) => {
  const sealer = await Sealer.derive(secret, newSalt())
  t.equal(JSON.stringify(sealer), '{}')
  t.equal(inspect(sealer, { depth: 9, showHidden: true }), 'Sealer {}')
})
