import t from 'tap'
import { scan } from './scan.js'

const texts = (text: string) => scan(text).literals.map((literal) => literal.text)

t.test('what stands in a literal or a comment is not code', (t) => {
  const scanned = scan("call('any') // any\nlet x = 1 /* any\nany */ + 2\n")
  t.equal(scanned.code, "call('   ')       \nlet x = 1       \n       + 2\n")
  t.match(scanned.comments, /any\n.*any\n/)
  t.match(scanned.withLiterals, /call\('any'\)\s/)
  t.end()
})

t.test('a template is its pieces, and what stands between them is code', (t) => {
  const text = `const a = \`select \${name(\`in \${{ b }.b}\`)} from\`\nconst c = 'd'`
  t.same(texts(text), ['select ', 'in ', ' from', 'd'])
  t.match(scan(text).code, /name\(/)
  t.end()
})

t.test('an escaped quote does not end a text', (t) => {
  t.same(texts(String.raw`f('it\'s', "a\\", 'b')`), [String.raw`it\'s`, String.raw`a\\`, 'b'])
  t.end()
})

t.test('a regular expression is a literal, a division is not', (t) => {
  t.same(texts("const p = /['\"/]+[/']/g; const q = a / b / c"), ["['\"/]+[/']"])
  t.same(texts("return /'/.test(x) ? total / 2 : (a + b) / 2 + 'x'"), ["'", 'x'])
  t.end()
})

t.test('an apostrophe between tags opens nothing', (t) => {
  t.same(texts("<p>the meter's index</p>\nconst a = 'b'\n"), ['b'])
  t.end()
})

t.test('a literal knows the line where it begins', (t) => {
  t.same(
    scan("\n\n'a'\n`b\n`\n'c'").literals.map(({ line }) => line),
    [3, 4, 6]
  )
  t.end()
})
