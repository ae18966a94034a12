import { type ParseArgsConfig, parseArgs } from 'node:util'
import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { usage } from './verbs/usage.js'

// Each verb loads what it needs: whoever enrols a gateway does not wait for broker and database driver.
const verbs: Readonly<Record<string, (args: string[]) => Promise<number>>> = {
  async run(args) {
    const { values } = parsed(args, { 'check-config': { type: 'boolean' }, source: { type: 'string', default: 'mqtt' } })
    const { configInWords, run, sources } = await import('./verbs/run.js')
    const source = sources.find((each) => each === values.source)
    if (source === undefined) throw new AppError('CONFIG_INVALID', `--source is ${values.source}; it must be one of ${sources.join(', ')}`)
    if (values['check-config'] === true) process.stdout.write(`${configInWords(source, process.env)}\n`)
    else await run(source, process.env)
    return 0
  },
  async 'replay-dead-letters'(args) {
    const text = { type: 'string' } as const
    const { values } = parsed(args, { code: text, gateway: text, since: text, 'dry-run': { type: 'boolean' } })
    const { replay } = await import('./verbs/replay-dead-letters.js')
    const { 'dry-run': dryRun = false, ...choice } = values
    return replay(process.env, { ...choice, dryRun }, { ...standardStreams, signal: interrupted() })
  },
  async ca(args) {
    const { ca } = await import('./verbs/ca.js')
    process.stdout.write(`${await ca(args, process.env)}\n`)
    return 0
  },
  async 'nats-config'(args) {
    const { values } = parsed(args, { key: { type: 'string' }, out: { type: 'string' } })
    const { natsConfig } = await import('./verbs/nats-config.js')
    process.stdout.write(await natsConfig(process.env, values))
    return 0
  }
}

const standardStreams = {
  print: (line: string) => void process.stdout.write(`${line}\n`),
  note: (line: string) => void process.stderr.write(`${line}\n`)
}

/** Fires when somebody has had enough: what is under way is ended, and nothing begun. */
function interrupted(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => controller.abort())
  return controller.signal
}

function parsed<Options extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: Options) {
  return parseArgs({ args, options })
}

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
