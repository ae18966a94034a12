import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { asError } from '@endeks/domain/errors'
import type { ConfigProblem } from '@endeks/domain/process'
import type { TlsFiles } from '../uplink/tls.js'
import type { GatewaySiteFile } from './schema.js'

/**
 * The files of the connection to the broker, as absolute paths. That one is there, is what it should be and fits the others is checked
 * now; that a certificate has expired is not: it may be replaced while the gateway runs.
 *
 * @param directory of the site file, to which its paths are relative
 */
export function checkTls({ gateway, mqtt }: GatewaySiteFile, directory: string, problems: ConfigProblem[]): TlsFiles | undefined {
  const { url, tls } = mqtt
  if (tls === undefined) return undefined
  const path = (name: keyof TlsFiles): string => `/mqtt/tls/${name}`
  if (!url.startsWith('mqtts:')) problems.push({ path: '/mqtt/tls', message: 'is for an url that begins with mqtts://' })
  for (const [has, lacks] of [
    ['certificate', 'key'],
    ['key', 'certificate']
  ] as const) {
    if (tls[has] !== undefined && tls[lacks] === undefined) problems.push({ path: path(lacks), message: `is missing beside ${has}` })
  }
  const files = Object.fromEntries(Object.entries(tls).map(([name, file]) => [name, resolve(directory, file)])) as TlsFiles
  const read = <Value>(name: keyof TlsFiles, parse: (bytes: Buffer) => Value): Value | undefined => {
    const file = files[name]
    if (file === undefined) return undefined
    try {
      return parse(readFileSync(file))
    } catch (thrown) {
      problems.push({ path: path(name), message: `${file} can't be used: ${asError(thrown).message}` })
      return undefined
    }
  }
  read('ca', (bytes) => new X509Certificate(bytes))
  const certificate = read('certificate', (bytes) => new X509Certificate(bytes))
  const names = certificate?.subject.split('\n').flatMap((line) => (line.startsWith('CN=') ? [line.slice(3)] : []))
  if (names !== undefined && (names.length !== 1 || names[0] !== gateway))
    problems.push({
      path: path('certificate'),
      message: `is for ${names.map((name) => `"${name}"`).join(', ')}, and the gateway is "${gateway}"`
    })
  const key = read('key', (bytes) => createPrivateKey(bytes))
  if (certificate !== undefined && key !== undefined && !certificate.checkPrivateKey(key))
    problems.push({ path: path('key'), message: `is not the key of ${files.certificate}` })
  return files
}
