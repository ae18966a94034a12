import { parseArgs } from 'node:util'
import { AppError, isAppError } from '@endeks/domain/errors'
import { type Metrics, Operations, operationsNames, operationsSettings } from '@endeks/domain/operations'
import { createLog, leastSecretLength, loadConfig, runProcess, systemClock } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'
import type { AnsweredRequest } from './plugins/observation.js'
import { type Role, roles } from './rights.js'

const DatabaseConfig = { databaseUrl: Type.String({ pattern: '^postgres(ql)?://.{1,1000}$' }) }
const UserConfig = Type.Object(DatabaseConfig)
const ServiceConfig = Type.Object({
  ...DatabaseConfig,
  host: Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' }),
  port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8080 }),
  webRoot: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 })),
  connections: Type.Integer({ minimum: 2, maximum: 200, default: 10 }),
  loginsPerMinute: Type.Integer({ minimum: 1, maximum: 10_000, default: 10 }),
  secureCookies: Type.Boolean({ default: false }),
  ...operationsSettings,
  keySecret: Type.Optional(Type.String({ minLength: leastSecretLength, maxLength: 1_024 }))
})
const names = {
  databaseUrl: 'ENDEKS_DATABASE_URL',
  host: 'ENDEKS_API_HOST',
  port: 'ENDEKS_API_PORT',
  webRoot: 'ENDEKS_WEB_ROOT',
  connections: 'ENDEKS_API_CONNECTIONS',
  loginsPerMinute: 'ENDEKS_LOGINS_PER_MINUTE',
  secureCookies: 'ENDEKS_SECURE_COOKIES',
  ...operationsNames,
  keySecret: 'ENDEKS_KEY_SECRET'
}
const usage = `billing-api run [--check-config]
billing-api user set LOGIN --role ${roles.join('|')} --name "NAME"   (password: ENDEKS_PASSWORD, or standard input)
`
const largestPassword = 1_024

async function run(args: string[]): Promise<number | undefined> {
  const { values } = parseArgs({ args, options: { 'check-config': { type: 'boolean', default: false } } })
  if (values['check-config']) {
    process.stdout.write(`${JSON.stringify(masked(loadConfig(ServiceConfig, names, process.env)), undefined, 2)}\n`)
    return 0
  }
  const log = createLog('billing-api')
  await runProcess(log, async () => {
    // Each verb loads what it needs: setting a user takes no web framework, refusing a configuration no database.
    const { startApi } = await import('./service.js')
    const { webRoot, keySecret, operationsPort, operationsHost, ...config } = loadConfig(ServiceConfig, names, process.env)
    const operations = Operations.of('billing-api', { operationsHost, ...(operationsPort === undefined ? {} : { operationsPort }) }, log)
    const api = await startApi({
      ...config,
      portSetting: names.port,
      ...(webRoot === undefined ? {} : { webRoot }),
      ...(keySecret === undefined ? {} : { keySecret }),
      ...(operations === undefined ? {} : { observe: requestDurations(operations.metrics) }),
      clock: systemClock,
      log
    })
    const running = { stop: api.stop, ready: { port: api.port } }
    const database = { name: 'database', missing: async () => void (await api.reachDatabase()) }
    return operations === undefined ? running : operations.show(running, [database])
  })
  return undefined
}

/** Their count is the requests by route and status; most are answered within a tenth of a second, exports take minutes. */
function requestDurations(metrics: Metrics): (request: AnsweredRequest) => void {
  const words = { name: 'endeks_api_request_seconds', help: 'how long requests took to answer', labels: ['method', 'route', 'status'] }
  const observe = metrics.durations(words, [0.005, 0.02, 0.05, 0.1, 0.3, 1, 3, 10, 60])
  return ({ method, route, status, seconds }) => observe(seconds, { method, route, status: String(status) })
}

/** What may be shown: a database's URL holds its password. */
function masked(config: Static<typeof ServiceConfig>): Static<typeof ServiceConfig> {
  const url = new URL(config.databaseUrl)
  if (url.password !== '') url.password = '***'
  return { ...config, databaseUrl: url.toString(), ...(config.keySecret === undefined ? {} : { keySecret: '***' }) }
}

async function user(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { role: { type: 'string' }, name: { type: 'string' } },
    allowPositionals: true
  })
  const [action, login] = positionals
  const { role, name } = values
  if (action !== 'set' || login === undefined || positionals.length > 2 || !isRole(role) || name === undefined)
    return refuse('user set takes a login, a role and a name')
  const { databaseUrl } = loadConfig(UserConfig, { databaseUrl: names.databaseUrl }, process.env)
  const password = process.env['ENDEKS_PASSWORD'] ?? (await readPassword())
  const [{ createPool }, { ensureUser }] = await Promise.all([import('@endeks/database/pool'), import('./staff.js')])
  const pool = createPool({ url: databaseUrl, role: 'endeks_api', max: 1, applicationName: 'endeks billing-api user' })
  try {
    const changed = await ensureUser(pool, { login, name, role, password })
    process.stdout.write(changed ? `${login} may sign in as ${role}\n` : `${login} is as described already\n`)
    return 0
  } finally {
    await pool.end()
  }
}

function isRole(text: string | undefined): text is Role {
  return roles.some((role) => role === text)
}

/** The first line of standard input. */
async function readPassword(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    text += String(chunk)
    if (text.includes('\n') || text.length > largestPassword) break
  }
  return (text.split('\n', 1)[0] ?? '').replace(/\r$/, '')
}

function refuse(message: string): number {
  process.stderr.write(`${message}\n${usage}`)
  return 2
}

async function main([verb, ...args]: string[]): Promise<number | undefined> {
  try {
    if (verb === 'run') return await run(args)
    if (verb === 'user') return await user(args)
    return refuse(verb === undefined ? 'which verb?' : `"${verb}" is not a verb`)
  } catch (thrown) {
    if (isAppError(thrown)) {
      process.stderr.write(`${thrown.message}\n`)
      return thrown.code === 'CONFIG_INVALID' || thrown.code === 'VALIDATION' ? 2 : 1
    }
    // What parseArgs throws is about how it was called.
    if (thrown instanceof TypeError && 'code' in thrown && String(thrown.code).startsWith('ERR_PARSE_ARGS')) return refuse(thrown.message)
    throw new AppError('INTERNAL', 'the command failed', {}, thrown)
  }
}

const exitCode = await main(process.argv.slice(2))
if (exitCode !== undefined) process.exitCode = exitCode
