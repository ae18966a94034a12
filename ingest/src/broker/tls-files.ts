import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SecureContextOptions } from 'node:tls'
import { createSecureContext } from 'node:tls'
import { AppError, asError } from '@endeks/domain/errors'
import type { Clock, EpochMs } from '@endeks/domain/time'
import { certificateTime } from './certificate-time.js'

/** What the broker needs of the folder that `ingest ca create` makes; the authority's own key is not among it. */
export const tlsFileNames = { authority: 'ca.pem', certificate: 'server.pem', key: 'server-key.pem' } as const

export interface TlsMaterial {
  readonly context: SecureContextOptions
  /** of the server's certificate */
  readonly notAfter: EpochMs
  /** equal for the same files */
  readonly identity: string
}

/**
 * Reads and checks the files, so that what can't work is found here and not by the first gateway.
 *
 * @throws {AppError} CONFIG_INVALID that names the file and what to do
 */
export async function readTlsFiles(directory: string, clock: Clock): Promise<TlsMaterial> {
  const [authority, certificate, key] = await Promise.all([
    readOne(directory, tlsFileNames.authority),
    readOne(directory, tlsFileNames.certificate),
    readOne(directory, tlsFileNames.key)
  ])
  const wrong = (text: string, cause?: unknown) => new AppError('CONFIG_INVALID', `TLS from ${directory}: ${text}`, { directory }, cause)
  try {
    const server = new X509Certificate(certificate)
    const ca = new X509Certificate(authority)
    if (!server.checkPrivateKey(createPrivateKey(key))) throw wrong(`${tlsFileNames.key} is not the key of ${tlsFileNames.certificate}`)
    const notAfter = certificateTime(server.validTo)
    const renew = `make a new one with "ingest ca server ${directory} --name ..."`
    if (notAfter <= clock.now()) throw wrong(`${tlsFileNames.certificate} expired on ${server.validTo}; ${renew}`)
    if (certificateTime(ca.validTo) <= clock.now()) throw wrong(`${tlsFileNames.authority} expired on ${ca.validTo}; make a new authority`)
    const context = { ca: authority, cert: certificate, key }
    createSecureContext(context)
    return { context, notAfter, identity: `${ca.fingerprint256} ${server.fingerprint256}` }
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown
    throw wrong(`the files can't be used: ${asError(thrown).message}`, thrown)
  }
}

async function readOne(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), 'utf8')
  } catch (thrown) {
    const text = `TLS from ${directory}: ${name} can't be read (${asError(thrown).message}); make the folder with "ingest ca create ${directory} --name ..."`
    throw new AppError('CONFIG_INVALID', text, { directory, name }, thrown)
  }
}
