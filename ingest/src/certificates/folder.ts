import { createPrivateKey } from 'node:crypto'
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AppError, asError } from '@endeks/domain/errors'
import type { Authority, Issued } from './issue.js'

export const fileNames = {
  authority: 'ca.pem',
  authorityKey: 'ca-key.pem',
  server: 'server.pem',
  serverKey: 'server-key.pem',
  gateway: 'gateway.pem',
  gatewayKey: 'gateway-key.pem'
} as const

const ownerOnly = 0o600
const readable = 0o644

/** @throws {AppError} CONFIG_INVALID when it is not there or can't be used */
export async function readAuthority(directory: string): Promise<Authority> {
  try {
    const certificate = await readFile(join(directory, fileNames.authority), 'utf8')
    const key = createPrivateKey(await readFile(join(directory, fileNames.authorityKey)))
    return { certificate, key }
  } catch (thrown) {
    const text = `the authority in ${directory} can't be used (${asError(thrown).message}); make one with "ingest ca create ${directory} --name ..."`
    throw new AppError('CONFIG_INVALID', text, { directory }, thrown)
  }
}

/** @throws {AppError} CONFIG_INVALID when one of the files is there already: a key that is overwritten is lost */
export async function refuseExisting(directory: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const there = await readFile(join(directory, name)).then(
      () => true,
      (thrown: unknown) => {
        if (asError(thrown).message.includes('ENOENT')) return false
        throw new AppError('CONFIG_INVALID', `${join(directory, name)} can't be looked at: ${asError(thrown).message}`, {}, thrown)
      }
    )
    if (there)
      throw new AppError('CONFIG_INVALID', `${join(directory, name)} is there already and is not overwritten; choose another folder`)
  }
}

export async function writeAuthority(directory: string, issued: Issued): Promise<void> {
  await writeWhole(join(directory, fileNames.authorityKey), issued.key, ownerOnly)
  await writeWhole(join(directory, fileNames.authority), issued.certificate, readable)
}

export async function writeServer(directory: string, issued: Issued): Promise<void> {
  await writeWhole(join(directory, fileNames.serverKey), issued.key, ownerOnly)
  await writeWhole(join(directory, fileNames.server), issued.certificate, readable)
}

/** What a gateway needs, to be carried there. */
export async function writeGateway(directory: string, authority: string, issued: Issued): Promise<void> {
  await writeWhole(join(directory, fileNames.gatewayKey), issued.key, ownerOnly)
  await writeWhole(join(directory, fileNames.gateway), issued.certificate, readable)
  await writeWhole(join(directory, fileNames.authority), authority, readable)
}

export async function makeFolder(directory: string): Promise<void> {
  try {
    const made = await mkdir(directory, { recursive: true })
    if (made !== undefined) await chmod(directory, 0o700)
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `the folder ${directory} can't be made: ${asError(thrown).message}`, { directory }, thrown)
  }
}

/** Beside its place first, so that whoever reads meanwhile finds the old one or the new one, and a full disk leaves the old one. */
async function writeWhole(path: string, content: string, mode: number): Promise<void> {
  const beside = `${path}.new`
  try {
    await rm(beside, { force: true })
    const file = await open(beside, 'wx', mode)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
    const folder = await open(dirname(path))
    await folder.sync().finally(() => folder.close())
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `${path} can't be written: ${asError(thrown).message}`, { path }, thrown)
  }
}
