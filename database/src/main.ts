import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { createLog } from '@endeks/domain/process'
import { toIso } from '@endeks/domain/time'
import { migrate, passwordVariables, setServicePasswords, status } from './migrate/index.js'
import { writeTypes } from './schema/types.js'

const usage = `usage: database migrate|status|passwords|types [--check-config]

migrate    applies what is missing to the database that DATABASE_URL names
status     lists the migrations; ends with 1 when one is pending, changed or missing
passwords  lets accounts sign in with the passwords given by
           ${Object.values(passwordVariables).join(', ')};
           one that is not given stays as it is
types      writes src/schema/tables.ts; in a scratch database of DATABASE_URL's server, or of an embedded one without it
`

const log = createLog('database')

/** The one thing to configure: the server, as the role that owns the schema. */
function givenUrl(): string | undefined {
  const url = process.env['DATABASE_URL']
  if (url === undefined || url === '') return undefined
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return url
  throw new AppError('CONFIG_INVALID', 'DATABASE_URL is not a URL such as postgres://user:password@host:5432/database')
}

function neededUrl(): string {
  const url = givenUrl()
  if (url !== undefined) return url
  throw new AppError(
    'CONFIG_INVALID',
    'DATABASE_URL is missing: the database to work on, such as postgres://user:password@host:5432/database'
  )
}

async function showStatus(): Promise<number> {
  const states = await status(neededUrl())
  for (const each of states) process.stdout.write(`${each.name}\t${each.state}\t${each.appliedAt === null ? '-' : toIso(each.appliedAt)}\n`)
  return states.every((each) => each.state === 'applied') ? 0 : 1
}

async function applyMigrations(): Promise<number> {
  const applied = await migrate(neededUrl(), { log })
  process.stdout.write(applied.length === 0 ? 'nothing to do\n' : `${applied.join('\n')}\n`)
  return 0
}

function givenPasswords(): Record<string, string> {
  const given = Object.entries(passwordVariables).flatMap(([role, variable]) => {
    const password = process.env[variable]
    return password === undefined || password === '' ? [] : [[role, password] as const]
  })
  if (given.length > 0) return Object.fromEntries(given)
  throw new AppError('CONFIG_INVALID', `no password is given; set at least one of ${Object.values(passwordVariables).join(', ')}`)
}

async function setPasswords(): Promise<number> {
  const passwords = givenPasswords()
  await setServicePasswords(neededUrl(), passwords)
  process.stdout.write(`${Object.keys(passwords).join(', ')} may sign in\n`)
  return 0
}

async function generateTypes(): Promise<number> {
  await writeTypes(givenUrl(), log)
  return 0
}

function checkConfig(verb: string): number {
  const databaseUrl = verb === 'types' ? givenUrl() : neededUrl()
  const roles = verb === 'passwords' ? { passwordsFor: Object.keys(givenPasswords()) } : {}
  const shown = { databaseUrl: databaseUrl === undefined ? undefined : masked(databaseUrl), ...roles }
  process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`)
  return 0
}

function masked(url: string): string {
  const parsed = new URL(url)
  if (parsed.password !== '') parsed.password = '***'
  return parsed.toString()
}

const verbs: Readonly<Record<string, () => Promise<number>>> = {
  migrate: applyMigrations,
  status: showStatus,
  passwords: setPasswords,
  types: generateTypes
}

async function run(words: readonly string[]): Promise<number> {
  const [verb = '', ...options] = words
  const work = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
  if (work === undefined || options.some((option) => option !== '--check-config')) {
    process.stderr.write(usage)
    return 2
  }
  try {
    return options.length > 0 ? checkConfig(verb) : await work()
  } catch (thrown) {
    const error = asError(thrown)
    log.error(`${verb} failed`, { code: isAppError(error) ? error.code : 'INTERNAL', message: error.message })
    return isAppError(error, 'CONFIG_INVALID') ? 2 : 1
  }
}

process.exitCode = await run(process.argv.slice(2))
