import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { createLog, killPointAt, type Log, maskSecrets, runProcess, systemClock } from '@endeks/domain/process'
import { toIso } from '@endeks/domain/time'
import type { GatewaySite } from './config/check.js'
import type { GatewayEnvironment } from './config/environment.js'
import type { VerbTools } from './verbs/tools.js'
import { usage } from './verbs/usage.js'

const log = createLog('gateway')
/** How long a bus may take to end what is under way after Ctrl-C. */
const endWithinMs = 5_000

// Each verb loads what it needs: decoding a frame does not wait for MQTT, LevelDB and serial drivers.
const verbs: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  async run(args) {
    const { values, positionals } = parsed(args, { 'check-config': { type: 'boolean' } })
    const [path, ...rest] = positionals
    if (path === undefined || rest.length > 0) throw new AppError('CONFIG_INVALID', `run takes a site file\n${usage}`)
    await run(path, values['check-config'] ?? false, log)
    return 0
  },

  async probe(args) {
    const [{ probe }, { busOptions }] = await Promise.all([import('./verbs/probe.js'), import('./verbs/bus-choice.js')])
    const text = { type: 'string' } as const
    const options = { ...busOptions, address: text, key: text, profiles: text, zone: text, json: { type: 'boolean' } } as const
    const { values, positionals } = parsed(args, options)
    return probe(positionals, values, tools())
  },

  async scan(args) {
    const [{ scan }, { busOptions }] = await Promise.all([import('./verbs/scan.js'), import('./verbs/bus-choice.js')])
    const { values, positionals } = parsed(args, { ...busOptions, json: { type: 'boolean' } })
    return scan(positionals, values, tools())
  },

  async keys(args) {
    const { keys } = await import('./verbs/keys.js')
    const { values, positionals } = parsed(args, { json: { type: 'boolean' } })
    return keys(positionals, values, { ...tools(), killPoint: killPointAt(process.env['ENDEKS_KILL_AT']) })
  },

  async decode(args) {
    const { decode } = await import('./verbs/decode-verb.js')
    const { values, positionals } = parsed(args, { protocol: { type: 'string' }, lines: { type: 'boolean' } })
    return decode(positionals, values, process.stdin, process.stdout)
  }
}

function parsed<Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  return parseArgs({ args, options, allowPositionals: true })
}

function tools(): VerbTools {
  const calledOff = new AbortController()
  // Once: a second Ctrl-C ends the process as it ends any other.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      calledOff.abort()
      setTimeout(() => process.exit(1), endWithinMs).unref()
    })
  }
  return {
    environment: process.env,
    clock: systemClock,
    print: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    signal: calledOff.signal
  }
}

async function run(path: string, checkOnly: boolean, to: Log): Promise<void> {
  const [{ loadGatewaySite }, { checkPassword, keyPlaceOf, loadEnvironment }, { openRing }] = await Promise.all([
    import('./config/check.js'),
    import('./config/environment.js'),
    import('./keys/open.js')
  ])
  const load = async () => {
    let environment: GatewayEnvironment
    try {
      environment = loadEnvironment(process.env)
    } catch (thrown) {
      // Whoever writes a site file need not mend the environment first: without it, only whether the keys are there can't be told.
      throw isAppError(thrown, 'CONFIG_INVALID') ? withProblemsOf(thrown, () => loadGatewaySite(path, { has: () => true })) : thrown
    }
    const keys = await openRing(keyPlaceOf(environment), systemClock)
    const { profiles: _profiles, schedules: _schedules, ...site } = loadGatewaySite(path, keys)
    checkPassword(environment, site.tls?.certificate !== undefined)
    return { environment, keys, site }
  }
  if (checkOnly) {
    const { environment, site } = await load()
    process.stdout.write(`${JSON.stringify({ ...maskSecrets(siteInWords(site)), environment: maskSecrets(environment) }, null, 2)}\n`)
    return
  }
  await runProcess(to, async () => {
    const { environment, keys, site } = await load()
    const [{ startGateway }, { gatewayChecks, showGateway }, { loadOperationsSettings, Operations }] = await Promise.all([
      import('./service.js'),
      import('./metrics.js'),
      import('@endeks/domain/operations')
    ])
    const operations = Operations.of('gateway', loadOperationsSettings(process.env), to)
    const running = await startGateway({
      site,
      environment,
      keys,
      log: to,
      clock: systemClock,
      killPoint: killPointAt(process.env['ENDEKS_KILL_AT']),
      onFatal: (error) => {
        to.error('cannot go on', { code: isAppError(error) ? error.code : 'INTERNAL', message: error.message })
        process.exit(1)
      }
    })
    if (operations === undefined) return running
    showGateway(operations.metrics, running)
    return operations.show(running, gatewayChecks(running, environment.spool))
  })
}

function withProblemsOf(first: AppError, check: () => unknown): AppError {
  try {
    check()
    return first
  } catch (thrown) {
    if (!isAppError(thrown, 'CONFIG_INVALID')) throw thrown
    return new AppError('CONFIG_INVALID', `${first.message}\n${thrown.message}`)
  }
}

/** What would run, as its file names it. */
function siteInWords({ buses, ...site }: GatewaySite): Readonly<Record<string, unknown>> {
  return {
    ...site,
    buses: buses.map(({ protocol, meters, ...bus }) => ({
      ...bus,
      protocol: protocol.codec.name,
      meters: meters.map(({ profile, historySince, ...meter }) => ({
        ...meter,
        profile: profile.name,
        ...(historySince === undefined ? {} : { historySince: toIso(historySince) })
      }))
    }))
  }
}

// Whoever reads the answers may have had enough of them.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

async function main([verb = '', ...args]: string[]): Promise<number> {
  if (verb === '--help' || args.includes('--help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const work = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (work === undefined)
    throw new AppError('CONFIG_INVALID', `${verb === '' ? '' : `there is no verb ${JSON.stringify(verb)}\n`}usage:\n${usage}`)
  return work(args)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (thrown) {
  const error = asError(thrown)
  const wrongUse = isAppError(error, 'CONFIG_INVALID') || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  if (!wrongUse && !isAppError(error)) throw error
  process.stderr.write(`${wrongUse || !isAppError(error) ? '' : `${error.code}: `}${error.message}\n`)
  process.exitCode = wrongUse ? 2 : 1
}
