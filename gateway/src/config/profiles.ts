import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError, asError, isAppError } from '@endeks/domain/errors'
import { type ConfigProblem, configInvalid, loadJsonFile, problemsOf } from '@endeks/domain/process'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { canonicalJson, profileHash } from '../codec/canonical-json.js'
import { protocols } from '../protocols/index.js'
import { profileHead } from '../protocols/profile-head.js'

/** How one kind of meter is read, with the text and the hash under which it is announced. */
export interface Profile {
  readonly name: string
  readonly protocol: string
  readonly value: unknown
  readonly content: string
  readonly hash: string
}

export type Profiles = ReadonlyMap<string, Profile>

/** The directory that ships with the gateway. */
export const shippedProfiles = fileURLToPath(new URL('../../../profiles/', import.meta.url))

/** What every profile has, whatever its protocol adds. */
const Head = Type.Object({ name: profileHead.name, protocol: Type.String() })

/**
 * Reads every `*.json` of the directories. A name is given once: a site's own profile may not stand in for one that ships, or a
 * meter would be read in another way than its profile's name says.
 *
 * @throws {AppError} CONFIG_INVALID that lists every problem of every file
 */
export function loadProfiles(directories: readonly string[]): Profiles {
  const profiles = new Map<string, Profile>()
  const shippedNames = new Set<string>()
  const problems: ConfigProblem[] = []
  for (const directory of directories) {
    const shipped = directory === shippedProfiles
    for (const name of profileFiles(directory)) {
      const file = shipped ? name : join(directory, name)
      const value = jsonOf(join(directory, name), problems)
      if (value === undefined) continue
      const found = problemsOfProfile(value)
      if (found.length > 0 || !Value.Check(Head, value)) {
        problems.push(...found.map(({ path, message }) => ({ path: path === '/' ? file : `${file}${path}`, message })))
      } else if (profiles.has(value.name)) {
        const whose = shippedNames.has(value.name) ? 'a profile that ships' : 'another profile'
        problems.push({ path: `${file}/name`, message: `"${value.name}" is the name of ${whose} already: choose another` })
      } else {
        if (shipped) shippedNames.add(value.name)
        const content = canonicalJson(value)
        profiles.set(value.name, { name: value.name, protocol: value.protocol, value, content, hash: profileHash(value) })
      }
    }
  }
  if (problems.length > 0) throw configInvalid('profiles', problems)
  return profiles
}

function problemsOfProfile(value: unknown): ConfigProblem[] {
  const head = problemsOf(Head, value)
  if (head.length > 0 || !Value.Check(Head, value)) return head
  const protocol = protocols.find((each) => each.codec.name === value.protocol)
  if (protocol === undefined) return [{ path: '/protocol', message: `"${value.protocol}" is no protocol of this gateway` }]
  const problems = problemsOf(protocol.codec.profileSchema, value)
  return problems.length > 0 ? problems : [...protocol.codec.checkProfile(value)]
}

/** @returns undefined for a file that is no JSON, which is then among the problems */
function jsonOf(path: string, problems: ConfigProblem[]): unknown {
  try {
    return loadJsonFile(path)
  } catch (thrown) {
    if (!isAppError(thrown, 'CONFIG_INVALID')) throw thrown
    problems.push({ path, message: thrown.message })
    return undefined
  }
}

function profileFiles(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.json'))
      .sort()
  } catch (thrown) {
    throw new AppError('CONFIG_INVALID', `profile directory ${directory} can't be read: ${asError(thrown).message}`, { directory }, thrown)
  }
}
