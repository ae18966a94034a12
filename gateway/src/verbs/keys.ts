import { createReadStream } from 'node:fs'
import { AppError, asError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import { loadKeyPlace, neededKeyPlace } from '../config/environment.js'
import { mostKeyFileBytes, noSuchKey, parseKeyFile } from '../keys/key-file/index.js'
import { KeyRing, type KeyRingOptions } from '../keys/ring.js'
import type { RingPoint } from '../keys/ring-file.js'
import { type ExitCode, type VerbTools, wrongUse } from './tools.js'

interface KeyTools extends VerbTools {
  readonly killPoint: (point: RingPoint) => void
  readonly derive?: KeyRingOptions['derive']
}

const keptByGateway = 'a running gateway has the keys as they were when it started'

/** What goes in may be listed by name, and never comes out. */
export async function keys(
  positionals: readonly string[],
  values: { readonly json?: boolean | undefined },
  tools: KeyTools
): Promise<ExitCode> {
  const [action, argument, ...rest] = positionals
  if (rest.length > 0) throw wrongUse('keys takes one argument')
  if (action === 'import' && argument !== undefined) return importFile(argument, tools)
  if (action === 'remove' && argument !== undefined) return remove(argument, tools)
  if (action === 'list' && argument === undefined) return list(values.json ?? false, tools)
  throw wrongUse('keys import FILE, keys list or keys remove NAME')
}

async function opened(tools: KeyTools): Promise<KeyRing> {
  const place = neededKeyPlace(loadKeyPlace(tools.environment))
  const { clock, killPoint, derive } = tools
  return KeyRing.open({ ...place, clock, at: killPoint, ...(derive === undefined ? {} : { derive }) })
}

async function importFile(path: string, tools: KeyTools): Promise<ExitCode> {
  const imported = parseKeyFile(await bytesOf(path), path)
  const { added, changed, unchanged } = await (await opened(tools)).import(imported)
  tools.print(`${added} new, ${changed} changed, ${unchanged} unchanged`)
  tools.note(`${keptByGateway}; ${path} still has them in clear: put it away`)
  return 0
}

/** Not more of it than is looked at, whatever the path leads to. */
async function bytesOf(path: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of createReadStream(path, { end: mostKeyFileBytes })) chunks.push(chunk as Uint8Array)
  } catch (thrown) {
    throw new AppError('KEY_FILE_INVALID', `${path} can't be read: ${asError(thrown).message}`, { path }, thrown)
  }
  return Buffer.concat(chunks)
}

async function list(json: boolean, tools: KeyTools): Promise<ExitCode> {
  const listed = (await opened(tools)).list().map((each) => ({ ...each, importedAt: toIso(each.importedAt) }))
  for (const each of listed) {
    tools.print(json ? JSON.stringify(each) : `${each.name}  version ${each.version}  ${each.kinds.join(', ')}  ${each.importedAt}`)
  }
  if (listed.length === 0) tools.note("no keys yet: gateway keys import FILE takes a maker's list")
  return 0
}

async function remove(name: string, tools: KeyTools): Promise<ExitCode> {
  if (await (await opened(tools)).remove(name)) {
    tools.print(`${name} is removed`)
    tools.note(keptByGateway)
    return 0
  }
  tools.note(noSuchKey(name))
  return 1
}
