import { isAppError } from '@endeks/domain/errors'
import t from 'tap'
import { mostKeyFileBytes, parseKeyFile } from '../../src/keys/key-file/index.js'

const first = '00112233445566778899AABBCCDDEEFF'
const second = 'FEDCBA98765432100123456789ABCDEF'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** As hex, by name. */
function read(file: Uint8Array | string): Record<string, Record<string, string>> {
  const keys = parseKeyFile(typeof file === 'string' ? bytes(file) : file)
  const hex = (secrets: object) =>
    Object.entries(secrets).map(([kind, secret]) => [kind, Buffer.from(secret).toString('hex').toUpperCase()])
  return Object.fromEntries(keys.map(({ name, secrets }) => [name, Object.fromEntries(hex(secrets))]))
}

function problemsOf(file: Uint8Array | string): string[] {
  try {
    parseKeyFile(typeof file === 'string' ? bytes(file) : file)
  } catch (thrown) {
    if (!isAppError(thrown, 'KEY_FILE_INVALID')) throw thrown
    for (const key of [first, second])
      for (const part of [key, key.slice(3, 15), key.slice(16)]) t.notOk(thrown.message.includes(part), 'no secret')
    return (thrown.details['problems'] as { path: string; message: string }[]).map(
      ({ path, message }) => `${path.replace('line ', '')}: ${message}`
    )
  }
  return []
}

t.test('headers are known in three languages, whatever their case, accents and punctuation', async (t) => {
  const expected = { '12345678': { encryption: first } }
  for (const header of [
    'Serial number;Manufacturer;Key',
    'SERIAL_NO;MAN;AES-128 KEY (hex)',
    'Meter ID;Typ;Encryption key',
    'Seriennummer;Hersteller;Schlüssel',
    'Zählernummer;Hersteller;AES-Schlüssel',
    'Sayaç Seri No;Üretici;Şifreleme Anahtarı',
    'SERİ NO;MARKA;ANAHTAR',
    'Cihaz No;Üretici;AES Anahtarı'
  ]) {
    t.same(read(`${header}\n12345678;DME;${first}\n`), expected, header)
  }
})

t.test('separators, byte order marks, encodings, quotes and spreadsheet habits', async (t) => {
  const expected = { '00012345': { encryption: first }, LGZ1030784150: { encryption: second } }
  const table = (separator: string) => [`Seri No${separator}Anahtar`, `00012345${separator}${first}`, `LGZ1030784150${separator}${second}`]
  for (const separator of [',', ';', '\t']) t.same(read(table(separator).join('\r\n')), expected)
  t.same(read(`\u{feff}${table(';').join('\n')}`), expected, 'UTF-8 with a mark')
  t.same(read(Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(table('\t').join('\r\n'), 'utf16le')])), expected, 'UTF-16')
  const turkish = Buffer.concat([
    Buffer.from('Sayaç Seri No;', 'latin1'),
    Buffer.from([0xde]),
    Buffer.from('ifreleme Anahtar', 'latin1'),
    Buffer.from([0xfd])
  ])
  t.same(read(Buffer.concat([turkish, Buffer.from(`\n00012345;${first}\nLGZ1030784150;${second}`)])), expected, 'Windows-1254')
  t.same(
    read(
      `sep=;\n# keys of March\n\n"Serial";"EK"\n="00012345";"00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff"\nLGZ1030784150;0x${second}`
    ),
    expected
  )
  t.same(
    read(`ABB;00012345;${first}\nXYZ;20000001;${second}`),
    { '00012345': { encryption: first }, '20000001': { encryption: second } },
    'no header'
  )
})

t.test('a DLMS meter has up to four secrets, and each column is its own', async (t) => {
  const file = `Logical device name,GUEK,GAK,GBEK,LLS,Master key\nELS5-0042,${first},${second},${first},12345678,${second}\nELS5-0043,${first},,,,\n`
  t.same(read(file), {
    'ELS5-0042': { encryption: first, authentication: second, broadcast: first, password: '3132333435363738' },
    'ELS5-0043': { encryption: first }
  })
  t.same(read(`Name;Serial;Key\nHall;12345678;${first}`), { '12345678': { encryption: first } }, 'a serial number before a name')
})

t.test('JSON: a list, or an object with one, also with the keys one level down', async (t) => {
  const expected = { '12345678': { encryption: first, password: '4142' } }
  t.same(read(JSON.stringify([{ serialNumber: '12345678', key: first, password: 'AB' }])), expected)
  t.same(read(JSON.stringify({ made: 'x', meters: [{ id: 12345678, keys: { ek: first, lls: '0x4142' } }] })), expected)
  t.same(problemsOf('[{"serial": "1", "key": 5}, 7]'), [
    '1: the encryption key has 1 hexadecimal digits, and a key has 32',
    '2: does not say which meter'
  ])
  t.match(problemsOf(`[{"serial": "1", "key": "${first}"]`), [/^file: is not JSON/])
})

t.test('every bad line is listed with its reason and without its secret', async (t) => {
  const lines = [
    'Serial;Key;AK',
    `1;${first};`,
    `2;${first.slice(1)};`,
    `3;${first.replace('AA', 'AG')};${second}0`,
    `;${first};`,
    `1;${second};`,
    `${second};${first};`,
    `1,23457E+07;${first};`,
    `a b;${first};`,
    '5;;',
    `6;${first};${second};${first}`,
    `7;"${first};${second}`
  ]
  t.same(problemsOf(lines.join('\n')), [
    '3: the encryption key has 31 hexadecimal digits, and a key has 32',
    '4: the encryption key has characters that are no hexadecimal digits',
    '4: the authentication key has 33 hexadecimal digits, and a key has 32',
    '5: does not say which meter',
    '6: is for the same meter as line 2',
    '7: has a key where the meter is to be named',
    "8: has a serial number that a spreadsheet shortened: ask for the maker's own file",
    "9: has a meter's name that is not of letters, digits, '.', '_' and '-', at most 64",
    '10: has no key',
    '11: has 4 cells, and the first line has 3',
    '12: the encryption key has characters that are no hexadecimal digits'
  ])
})

t.test('what is no key file is told as a whole', async (t) => {
  t.match(problemsOf('PK\u0003\u0004'), [/zip/])
  t.match(problemsOf('<?xml version="1.0"?>'), [/XML/])
  t.match(problemsOf(Buffer.from([1, 0, 2, 0])), [/not text/])
  t.match(problemsOf(new Uint8Array(mostKeyFileBytes + 1)), [/more than/])
  t.match(problemsOf(';'.repeat(5_000)), [/a line of more than/])
  t.match(problemsOf(`Serial;Key\n${`;${first}\n`.repeat(60_000)}`), [/more than 50001 lines/])
  t.match(problemsOf('\n'.repeat(1_000_000)), [/no key/])
  t.match(problemsOf('Key;'.repeat(300)), [/more than 256 columns/])
  t.match(problemsOf(JSON.stringify(Array.from({ length: 50_001 }, () => 1))), [/more than 50000 meters/])
  t.match(problemsOf(''), [/no key/])
  t.match(problemsOf('Serial;Key\n'), [/no key/])
  t.match(problemsOf(`Serial;EK;AES key\n1;${first};${first}`), [/1: columns 2 and 3/])
  t.match(problemsOf(`${first};${second}`), [/1: is no header/])
  t.match(problemsOf(Array.from({ length: 500 }, () => 'x').join('\n')), [/1: is no header/])
  t.equal(problemsOf(['Serial;Key', ...Array.from({ length: 500 }, (_, index) => `${index};1`)].join('\n')).length, 100)
})
