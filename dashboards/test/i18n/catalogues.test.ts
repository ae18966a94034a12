import { catalogue } from '@endeks/domain/errors'
import t from 'tap'
import { catalogues, errorText } from '../../staff/src/i18n/catalogues.js'

type Tree = Readonly<Record<string, unknown>>

/** The paths of all texts of a language, and whether each is a text or a function. */
function leaves(tree: Tree, path = ''): string[] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'object' && value !== null ? leaves({ ...value }, `${path}/${key}`) : [`${path}/${key} ${typeof value}`]
  )
}

function texts(tree: Tree): string[] {
  return Object.values(tree).flatMap((value) => {
    if (typeof value === 'string') return [value]
    if (typeof value === 'function') return [String(value('1', '2', '3', '4'))]
    return typeof value === 'object' && value !== null ? texts({ ...value }) : []
  })
}

t.test('both languages have the same texts, and none is empty', (t) => {
  t.same(leaves(catalogues.en.messages).sort(), leaves(catalogues.tr.messages).sort())
  for (const { messages } of Object.values(catalogues)) {
    for (const text of texts(messages)) t.not(text.trim(), '')
  }
  t.end()
})

t.test('every code of the error catalogue has a text in every language', (t) => {
  for (const [language, { errors }] of Object.entries(catalogues)) {
    for (const code of Object.keys(catalogue)) t.ok(Object.hasOwn(errors, code), `${language} ${code}`)
  }
  t.end()
})

t.test('an error says what happened, why and what to do, and does not shout', (t) => {
  for (const { errors } of Object.values(catalogues)) {
    for (const [code, text] of Object.entries(errors)) {
      t.ok(text.split(/[.;]\s/).length >= 2, `${code}: ${text}`)
      t.notMatch(text, /!|bir hata oluştu/iu, code)
    }
  }
  t.equal(errorText(catalogues.tr, 'NEVER_HEARD_OF', 'words of the server'), 'words of the server')
  t.match(errorText(catalogues.en, 'LOGIN_WRONG', ''), /Not signed in/)
  t.end()
})

t.test('words that TERMS keeps for something else are not used', (t) => {
  const words = [...texts(catalogues.tr.messages), ...Object.values(catalogues.tr.errors)]
  for (const word of words) {
    t.notMatch(word, /\b(Düzenle|Abone|İstisna|Sil)\b(?!')/u, word)
    t.notMatch(word, /^İptal$/u, word)
  }
  t.end()
})
