import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { keys } from '../../src/verbs/keys.js'
import { probe } from '../../src/verbs/probe.js'
import { deriveOnce } from '../support/derive-once.js'
import { runGateway } from '../support/run-gateway.js'
import { hear } from '../support/verb-tools.js'

const derive = deriveOnce()
const secret = 'the secret of this gateway'
const oldKey = '0123456789ABCDEFFEDCBA9876543210'
const newKey = 'A0A1A2A3A4A5A6A7A8A9AAABACADAEAF'
const password = 'open-sesame-42'

/** Every text that must be nowhere, as it is and as it would look encoded. */
const forbidden = [oldKey, newKey].flatMap((key) => [key, key.toLowerCase(), Buffer.from(key, 'hex').toString('base64').slice(0, 20)])
const secrets = [
  ...forbidden,
  secret,
  password,
  Buffer.from(password).toString('base64').slice(0, 16),
  Buffer.from(password).toString('hex')
]

/** The verb itself, in this process: a process of its own takes most of a second to start. */
function verb(environment: Readonly<Record<string, string>>, ...[action, ...rest]: string[]) {
  const json = rest.includes('--json')
  const positionals = [action ?? '', ...rest.filter((each) => each !== '--json')]
  return hear({ environment }, (tools) => keys(positionals, { json }, { ...tools, killPoint: () => {}, derive }))
}

function siteWith(meter: object): string {
  const meters = [{ address: '5', profile: 'generic-mbus-water', historySince: '2025-10-01', ...meter }]
  const buses = [{ name: 'b', protocol: 'mbus', host: '127.0.0.1', port: 1, meters }]
  return JSON.stringify({ gateway: 'G', zone: 'Europe/Istanbul', mqtt: { url: 'mqtt://127.0.0.1:1' }, schedules: {}, buses })
}

t.test('keys go in by a file, are listed by name, and nothing that is printed or kept shows one', async (t) => {
  const directory = t.testdir()
  const environment = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_KEY_SECRET: secret }
  const said: string[] = []
  const run = async (...args: string[]) => {
    const heard = await verb(environment, ...args)
    said.push(heard.out, heard.err)
    return heard
  }
  const file = join(directory, 'maker.csv')
  writeFileSync(file, `Serial number;Manufacturer;Key;LLS\n12345678;KAM;${oldKey};\nELS-0042;ELS;${oldKey};${password}\n`)
  t.match(await run('import', file), { code: 0, out: '2 new, 0 changed, 0 unchanged', err: /put it away/ })
  writeFileSync(file, `Serial number;Key\n12345678;${newKey}\nELS-0042;${oldKey}\n`)
  t.match(await run('import', file), { code: 0, out: '0 new, 1 changed, 1 unchanged' })
  const listed = await run('list', '--json')
  t.match(
    listed.out.split('\n').map((line) => JSON.parse(line)),
    [
      { name: '12345678', version: 2, kinds: ['encryption'] },
      { name: 'ELS-0042', version: 1, kinds: ['encryption', 'password'] }
    ]
  )
  t.match(await run('list'), { code: 0, out: /^12345678 {2}version 2 {2}encryption {2}20/ })

  writeFileSync(file, `Serial number;Key\n12345678;${newKey.slice(2)}\n${oldKey};${newKey}\n`)
  t.match(await run('import', file), { code: 'KEY_FILE_INVALID', err: /\n {2}line 2: .*\n {2}line 3: / })
  writeFileSync(file, `[{"serial": "1", "key": "${newKey}", }]`)
  t.match(await run('import', file), { code: 'KEY_FILE_INVALID', err: /not JSON from character/ })
  t.match(await run('import', join(directory, 'none.csv')), { code: 'KEY_FILE_INVALID' })
  t.match(await run('import'), { code: 'CONFIG_INVALID' })
  t.match(await verb({ ...environment, ENDEKS_KEY_SECRET: 'another one of this length' }, 'list'), { code: 'KEYS_UNREADABLE', out: '' })
  t.match(await verb({ ...environment, ENDEKS_KEY_SECRET: 'tiny' }, 'list'), {
    code: 'CONFIG_INVALID',
    err: /^(?!.*tiny).*ENDEKS_KEY_SECRET/s
  })
  t.match(await verb({}, 'list'), { code: 'CONFIG_INVALID', err: /ENDEKS_KEYS.*ENDEKS_KEY_SECRET/s })

  const site = join(directory, 'site.json')
  writeFileSync(site, siteWith({ key: '12345678' }))
  const executable = { ...environment, ENDEKS_MQTT_PASSWORD: 'broker-password' }
  const checked = await runGateway({ arguments: ['run', site, '--check-config'], environment: executable })
  t.match(JSON.parse(checked.out), { buses: [{ meters: [{ key: '12345678' }] }], environment: { keySecret: '***', password: '***' } })
  const probed = await hear({ environment: executable }, (tools) => probe([site, 'b', '5'], {}, tools))
  t.match(probed, { code: 1 })
  const other = { ...executable, ENDEKS_KEY_SECRET: 'another one of this length' }
  const wrong = await runGateway({ arguments: ['run', site], environment: other })
  t.match(wrong, { code: 1, err: /KEYS_UNREADABLE/ })
  said.push(...[checked, probed, wrong].flatMap(({ out, err }) => [out, err]))

  t.match(await run('remove', '12345678'), { code: 0 })
  t.match(await run('remove', '12345678'), { code: 1 })
  const kept = filesOf(join(directory, 'spool-keys')).map((path) => readFileSync(path, 'latin1'))
  t.ok(kept.length > 0)
  const everything = [...said, ...kept].join('\n')
  for (const each of [...secrets, 'broker-password']) t.notOk(everything.includes(each), 'no secret shows')
})

// Goal: an import leaves the old ring or the new one, whole. Method: kill it at every point that it names, then list.
t.test('an import that is killed leaves the keys as they were or as they were to be', async (t) => {
  const files = t.testdir({ 'old.csv': `Serial;Key\na;${oldKey}\n`, 'new.csv': `Serial;Key\na;${newKey}\nb;${newKey}\n` })
  const directory = join(files, 'keys')
  const environment = { ENDEKS_KEYS: directory, ENDEKS_KEY_SECRET: secret }
  t.match(await verb(environment, 'import', join(files, 'old.csv')), { code: 0 })
  const list = async () => (await verb(environment, 'list')).out.replace(/ {2}encryption.*/g, '')
  for (const [point, expected] of [
    ['keys.before', 'a  version 1'],
    ['keys.written', 'a  version 1'],
    ['keys.replaced', 'a  version 2\nb  version 1']
  ] as const) {
    const args = ['keys', 'import', join(files, 'new.csv')]
    const killed = await runGateway({ arguments: args, environment: { ...environment, ENDEKS_KILL_AT: point } })
    t.match(killed, { signal: 'SIGKILL', out: '' }, point)
    t.equal(await list(), expected, point)
  }
  t.match(await verb(environment, 'import', join(files, 'old.csv')), { code: 0 })
  t.same(readdirSync(directory), ['ring.json'], 'what the killed ones left is cleared away')
  t.equal(await list(), 'a  version 1\nb  version 1')
})

function filesOf(directory: string): string[] {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name)
    return statSync(path).isDirectory() ? filesOf(path) : [path]
  })
}
