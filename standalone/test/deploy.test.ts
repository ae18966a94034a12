import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { asked, type ComposeService, filledIn, servicesOf } from './compose-file.js'

// Goal: what the deployment says of our programs is true, though no test starts a container. Method: every variable is looked for in
// the sources of its program, and every command line is given to the built program with these variables.
const root = fileURLToPath(new URL('../../../', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const compose = read('deploy/compose.yaml')
const gatewayCompose = read('deploy/gateway.compose.yaml')
const services = servicesOf(compose)
const ours = [...services, ...servicesOf(gatewayCompose)].filter(({ entrypoint }) => entrypoint[0] === 'node')

function sourcesOf(folder: string): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => read(join(folder, path)))
    .join('\n')
}

function programOf({ entrypoint }: ComposeService): { readonly workspace: string; readonly path: string } {
  const path = entrypoint.slice(1).find((each) => !each.startsWith('--')) ?? ''
  return { path, workspace: path.split('/', 1)[0] ?? '' }
}

/** Variables that the service's program does not read. */
function unread(service: ComposeService): string[] {
  const { workspace } = programOf(service)
  const sources = `${sourcesOf(`${workspace}/src`)}\n${sourcesOf('domain/src/process')}`
  return Object.keys(service.environment).filter((name) => !sources.includes(`'${name}'`))
}

t.test('the services of the deployment are read', (t) => {
  t.same(
    ours.map(({ name }) => name),
    ['migrate', 'passwords', 'ingest', 'rating', 'billing-api', 'ingest-jetstream', 'ca', 'nats-config', 'gateway']
  )
  t.end()
})

t.test('every variable of a service is read by its program', (t) => {
  for (const service of ours) t.same(unread(service), [], service.name)
  const [planted] = servicesOf(`services:
  ingest:
    entrypoint: ['node', 'ingest/dist/src/main.js']
    environment:
      ENDEKS_MQTT_HOST: 0.0.0.0
      ENDEKS_MQTT_HOSTS: 0.0.0.0
`)
  t.same(planted === undefined ? [] : unread(planted), ['ENDEKS_MQTT_HOSTS'])
  t.throws(() => servicesOf('services:\n  ingest:\n    environment:\n      - A=b\n'), { message: /no variable/ })
  t.throws(() => servicesOf('services:\n  ingest:\n    command: run\n'), { message: /no list/ })
  t.end()
})

const site = {
  gateway: 'GW-01',
  zone: 'Europe/Istanbul',
  mqtt: { url: 'mqtts://broker.example:8883' },
  schedules: { live: { everyMs: 60_000 } },
  buses: [
    {
      ...{ name: 'mbus-1', protocol: 'mbus', host: '127.0.0.1', port: 4001 },
      meters: [{ address: '5', profile: 'generic-mbus-water', schedule: 'live' }]
    }
  ]
}

/** What is started outside of a container with a verb of which nobody asks whether its settings are right: it must only miss its database. */
const withoutDatabase: Readonly<Record<string, readonly string[]>> = { ca: ['list'], 'nats-config': [] }

t.test('every command line is taken by its program, with these variables', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'endeks-deploy-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'site.json'), JSON.stringify(site))
  // A gateway without certificates, which would have to be there, has a password.
  const instead = { ENDEKS_MQTT_PASSWORD: 'sixteenCharacters' }
  const start = (service: ComposeService, command: readonly string[]) => {
    const given = Object.entries(service.environment).map(([name, value]) => {
      const text = filledIn(value, () => 'sixteenCharacters')
      return [name, text.replace('@database:5432', '@127.0.0.1:1').replace('/var/lib/endeks', folder)] as const
    })
    const line = command.map((word) => word.replace(/^\/(etc\/endeks|nats|ingest)\//, `${folder}/`))
    const options = { cwd: root, env: { ...Object.fromEntries(given), ...instead }, encoding: 'utf8', timeout: 30_000 } as const
    return spawnSync(process.execPath, [...service.entrypoint.slice(1), ...line], options)
  }
  for (const service of ours) {
    const more = withoutDatabase[service.name]
    const { status, stderr } = start(service, [...service.command, ...(more ?? ['--check-config'])])
    t.equal(status, more === undefined ? 0 : 1, `${service.name}: ${stderr}`)
  }
  const migrate = ours.find(({ name }) => name === 'migrate')
  t.equal(migrate === undefined ? 0 : start(migrate, ['migrates', '--check-config']).status, 2, 'a verb that does not exist is refused')
  t.end()
})

t.test('the variables of other programs are those of their files and their papers', (t) => {
  const environment = (wanted: string): string[] => Object.keys(services.find(({ name }) => name === wanted)?.environment ?? {}).sort()
  const namesIn = (path: string): string[] => [...new Set(Array.from(read(path).matchAll(/\$([A-Z_]+)/g), ([, name = '']) => name))].sort()
  t.same(environment('nats'), namesIn('deploy/nats/nats.conf'))
  const provisioned = namesIn('dashboards/grafana/provisioning/datasources/endeks.yaml')
  const grafana = [
    'GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES',
    'GF_ANALYTICS_CHECK_FOR_UPDATES',
    'GF_ANALYTICS_REPORTING_ENABLED',
    'GF_SECURITY_ADMIN_PASSWORD',
    'GF_USERS_ALLOW_SIGN_UP'
  ]
  t.same(environment('grafana'), [...provisioned, ...grafana])
  t.same(environment('database'), ['POSTGRES_DB', 'POSTGRES_INITDB_ARGS', 'POSTGRES_PASSWORD', 'POSTGRES_USER', 'TIMESCALEDB_TELEMETRY'])
  t.end()
})

t.test('.env.example has every variable that is asked for, and no secret', (t) => {
  const example = Object.fromEntries(
    Array.from(read('deploy/.env.example').matchAll(/^([A-Z_]+)=(.*)$/gm), ([, name = '', value = '']) => [name, value])
  )
  t.same(
    Object.keys(example)
      .filter((name) => name !== 'COMPOSE_PROFILES')
      .sort(),
    asked(compose)
  )
  for (const [name, value] of Object.entries(example)) {
    if (/PASSWORD|SECRET/.test(name)) t.equal(value, '', name)
  }
  t.match(read('deploy/.gitignore'), /^\.env$/m)
  t.end()
})

t.test('the pages name services, verbs and metrics that there are', (t) => {
  const pages = `${read('deploy/README.md')}\n${read('deploy/SIZING.md')}`
  const run = Array.from(pages.matchAll(/docker compose (?:run --rm(?: -T)?|exec -T|logs|kill -s HUP) ([a-z-]+)/g), ([, name = '']) => name)
  t.ok(run.length > 3)
  for (const name of run) {
    t.ok(
      services.some((service) => service.name === name),
      name
    )
  }
  const metrics = Array.from(pages.matchAll(/\bendeks_(?:ingest|gateway|rating|api)_[a-z_]+/g), ([name]) => name)
  const counted = ['ingest', 'gateway', 'rating', 'billing-api'].map((workspace) => sourcesOf(`${workspace}/src`)).join('\n')
  const roles = services.flatMap(({ environment }) => Object.values(environment)).join('\n')
  t.ok(metrics.length > 5)
  for (const name of metrics) t.ok(counted.includes(`'${name}'`) || roles.includes(name), name)
  t.end()
})
