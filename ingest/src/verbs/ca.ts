import { createPrivateKey, X509Certificate } from 'node:crypto'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createPool, type Pool } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import { gatewayId } from '@endeks/domain/identifiers'
import { loadConfig, systemClock } from '@endeks/domain/process'
import { toIso } from '@endeks/domain/time'
import Type from 'typebox'
import { fingerprintOf } from '../broker/peer-certificate.js'
import { fileNames, makeFolder, readAuthority, refuseExisting, writeAuthority, writeGateway, writeServer } from '../certificates/folder.js'
import { issueAuthority, issueGateway, issueServer } from '../certificates/issue.js'
import { enrolCertificate, listCertificates, revokeCertificates } from '../store/certificates.js'

type Variables = Readonly<Record<string, string | undefined>>

const authorityDays = 3_653
const leafDays = 397
const mostDays = 3_650

const options = {
  name: { type: 'string', multiple: true },
  address: { type: 'string', multiple: true },
  days: { type: 'string' },
  out: { type: 'string' },
  serial: { type: 'string' }
} as const

interface Asked {
  readonly positionals: readonly string[]
  readonly hosts: readonly string[]
  readonly days: number
  readonly out: string | undefined
  readonly serial: string | undefined
  readonly environment: Variables
}

const works: Readonly<Record<string, (asked: Asked) => Promise<string>>> = { create, server, enrol, revoke, list }

/** The authority that gateways and broker know each other by. @returns what was done, in words */
export async function ca([work = '', ...args]: readonly string[], environment: Variables): Promise<string> {
  const known = Object.hasOwn(works, work) ? works[work] : undefined
  if (known === undefined) throw new AppError('CONFIG_INVALID', 'ca create | server | enrol | revoke | list; see --help')
  const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
  const days = values.days === undefined ? leafDays : Number(values.days)
  if (!Number.isInteger(days) || days < 1 || days > mostDays)
    throw new AppError('CONFIG_INVALID', `--days: a whole number from 1 to ${mostDays}`)
  const hosts = [...(values.name ?? []), ...(values.address ?? [])]
  return known({ positionals, hosts, days, out: values.out, serial: values.serial, environment })
}

async function create({ positionals, hosts, days }: Asked): Promise<string> {
  const directory = resolve(one(positionals[0], 'the folder of the authority'))
  await makeFolder(directory)
  await refuseExisting(directory, Object.values(fileNames))
  const now = systemClock.now()
  const issued = issueAuthority({ now, days: authorityDays })
  // First in memory: a wrong name must not leave half a folder.
  const key = createPrivateKey(issued.key)
  const broker = issueServer({ certificate: issued.certificate, key }, hosts, { now, days })
  await writeAuthority(directory, issued)
  await writeServer(directory, broker)
  return `authority until ${toIso(issued.notAfter)} and broker's certificate for ${hosts.join(', ')} until ${toIso(broker.notAfter)} in ${directory}
Keep ${fileNames.authorityKey} to yourself: whoever has it can make certificates. The broker needs ${fileNames.authority}, ${fileNames.server} and ${fileNames.serverKey} only.`
}

async function server({ positionals, hosts, days }: Asked): Promise<string> {
  const directory = resolve(one(positionals[0], 'the folder of the authority'))
  const authority = await readAuthority(directory)
  const issued = issueServer(authority, hosts, { now: systemClock.now(), days })
  await writeServer(directory, issued)
  return `broker's certificate for ${hosts.join(', ')} until ${toIso(issued.notAfter)} in ${directory}; a running broker takes it into use by itself`
}

async function enrol({ positionals, days, out, environment }: Asked): Promise<string> {
  const directory = resolve(one(positionals[0], 'the folder of the authority'))
  const gateway = gatewayId(one(positionals[1], 'the gateway'))
  const folder = resolve(out ?? join('.', gateway))
  const authority = await readAuthority(directory)
  await makeFolder(folder)
  await refuseExisting(folder, [fileNames.gateway, fileNames.gatewayKey])
  const issued = issueGateway(authority, gateway, { now: systemClock.now(), days })
  const { serial, notAfter } = issued
  const fingerprint = fingerprintOf(new X509Certificate(issued.certificate))
  await withDatabase(environment, (pool) => enrolCertificate(pool, { gateway, fingerprint, serial, notAfter, by: whoAsks() }))
  await writeGateway(folder, authority.certificate, issued)
  return `${gateway} is enrolled until ${toIso(notAfter)}, serial ${serial}
Carry ${fileNames.authority}, ${fileNames.gateway} and ${fileNames.gatewayKey} of ${folder} to the gateway, and delete them here.`
}

async function revoke({ positionals, serial, environment }: Asked): Promise<string> {
  const gateway = gatewayId(one(positionals[0], 'the gateway'))
  const revoked = await withDatabase(environment, (pool) => revokeCertificates(pool, { gateway, serial, by: whoAsks() }))
  if (revoked.length > 0) return revoked.map((each) => `revoked ${gateway} ${each}`).join('\n')
  throw new AppError(
    'GATEWAY_NOT_FOUND',
    `${gateway} has no certificate in force${serial === undefined ? '' : ` with the serial ${serial}`}`
  )
}

async function list({ positionals, environment }: Asked): Promise<string> {
  const gateway = positionals[0] === undefined ? undefined : gatewayId(positionals[0])
  const certificates = await withDatabase(environment, (pool) => listCertificates(pool, gateway))
  const now = systemClock.now()
  const state = (notAfter: number, revokedAt: number | null) => (revokedAt !== null ? 'revoked' : notAfter <= now ? 'expired' : 'in force')
  return certificates
    .map((each) => [each.gateway, each.serial, toIso(each.issuedAt), toIso(each.notAfter), state(each.notAfter, each.revokedAt)].join('\t'))
    .join('\n')
}

const Database = Type.Object({ databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }) }, { additionalProperties: false })

async function withDatabase<Result>(environment: Variables, work: (pool: Pool) => Promise<Result>): Promise<Result> {
  const { databaseUrl } = loadConfig(Database, { databaseUrl: 'ENDEKS_DATABASE_URL' }, environment)
  const pool = createPool({ url: databaseUrl, role: 'endeks_enrolment', max: 1, applicationName: 'endeks-enrolment' })
  try {
    return await work(pool)
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw new AppError('DATABASE_UNREACHABLE', `the database can't be used: ${asError(thrown).message}`, {}, thrown)
  } finally {
    await pool.end()
  }
}

/** For the audit trail: whoever sits at this machine. */
function whoAsks(): string {
  return `cli:${userInfo().username}`
}

function one(given: string | undefined, what: string): string {
  if (given === undefined || given === '') throw new AppError('CONFIG_INVALID', `${what} is missing; see --help`)
  return given
}
