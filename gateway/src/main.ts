import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { createLog, type Log, maskSecrets, runProcess, systemClock } from '@endeks/domain/process'
import { codecs } from './codec/registry.js'
import type { ProtocolCodec } from './protocols/protocol.js'
import { answerTooLong, codecNamed, decodeHex, decodeLine, longestLine } from './verbs/decode.js'
import { linesOf } from './verbs/lines.js'

const usage = `gateway run SITE.json [--check-config]    reads the site's meters; ENDEKS_MQTT_PASSWORD, ENDEKS_SPOOL
gateway decode --protocol P [HEX]         describes one frame, from the argument or standard input
gateway decode --protocol P --lines       one object {"hex", "key"?, "profile"?} a line in, one answer a line out`

const log = createLog('gateway')

async function main(): Promise<void> {
  if (process.argv[2] === '--help') {
    process.stdout.write(`${usage}\n`)
    return
  }
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'check-config': { type: 'boolean' }, protocol: { type: 'string' }, lines: { type: 'boolean' } }
  })
  const [verb, argument, ...rest] = positionals
  if (verb === 'run' && argument !== undefined && rest.length === 0) return run(argument, values['check-config'] ?? false, log)
  if (verb === 'decode' && values.protocol !== undefined && rest.length === 0) {
    const codec = codecNamed(values.protocol)
    if (codec === undefined) throw new AppError('CONFIG_INVALID', `--protocol is one of ${[...codecs.keys()].join(', ')}`)
    return values.lines === true ? decodeLines(codec) : decodeOne(codec, argument)
  }
  throw new AppError('CONFIG_INVALID', `usage:\n${usage}`)
}

async function run(path: string, checkOnly: boolean, to: Log): Promise<void> {
  // Loaded here, so that decoding a frame does not wait for MQTT, LevelDB and serial drivers.
  const [{ loadGatewaySite }, { loadEnvironment }] = await Promise.all([import('./config/check.js'), import('./config/environment.js')])
  if (checkOnly) {
    const site = loadGatewaySite(path)
    const environment = loadEnvironment(process.env)
    const buses = site.buses.map(({ protocol, ...bus }) => ({ ...bus, protocol: protocol.codec.name }))
    process.stdout.write(`${JSON.stringify({ ...maskSecrets({ ...site, buses }), environment: maskSecrets(environment) }, null, 2)}\n`)
    return
  }
  await runProcess(to, async () => {
    const site = loadGatewaySite(path)
    const environment = loadEnvironment(process.env)
    const { startGateway } = await import('./service.js')
    return startGateway({
      site,
      environment,
      log: to,
      clock: systemClock,
      onFatal: (error) => {
        to.error('cannot go on', { code: 'SPOOL_FAILED', message: error.message })
        process.exit(1)
      }
    })
  })
}

async function decodeOne(codec: ProtocolCodec, argument: string | undefined): Promise<void> {
  let hex = argument ?? ''
  if (argument === undefined) {
    for await (const chunk of process.stdin.setEncoding('utf8')) {
      hex += chunk
      if (hex.length > longestLine) break
    }
  }
  const answer = hex.length > longestLine ? answerTooLong(codec) : decodeHex(codec, hex)
  process.stdout.write(`${answer}\n`)
  if (answer.startsWith('{"ok":false')) process.exitCode = 1
}

async function decodeLines(codec: ProtocolCodec): Promise<void> {
  for await (const line of linesOf(process.stdin.setEncoding('utf8'), longestLine)) {
    const answer = line === undefined ? answerTooLong(codec) : decodeLine(codec, line)
    if (!process.stdout.write(`${answer}\n`)) await once(process.stdout, 'drain')
  }
}

// Whoever reads the answers may have had enough of them.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await main()
} catch (thrown) {
  const error = asError(thrown)
  const wrongUse = isAppError(error, 'CONFIG_INVALID') || ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
  if (!wrongUse) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 2
}
