import { readFileSync } from 'node:fs'
import type { Static, TSchema } from 'typebox'
import { Settings } from 'typebox/system'
import { Value } from 'typebox/value'
import { AppError } from '../errors/catalogue.js'

/** TypeBox stops at eight problems by itself; a person wants to mend a file in one go. */
const mostProblems = 500
Settings.Set({ maxErrors: mostProblems })

/** One thing wrong with a configuration: where, and what. */
export interface ConfigProblem {
  readonly path: string
  readonly message: string
}

/** Every problem of `value` against `schema`, each with the path of the key it is about; empty when it fits. */
export function problemsOf(schema: TSchema, value: unknown): ConfigProblem[] {
  const problems = Value.Errors(schema, value).flatMap((error): ConfigProblem[] => {
    const { keyword, instancePath, schemaPath, message } = error
    // A key that is not in the schema is reported at the object and at the key; the key says more.
    if (keyword === 'additionalProperties') return []
    if (keyword === 'boolean' && schemaPath.endsWith('/additionalProperties')) return [{ path: instancePath, message: 'is not known here' }]
    if (keyword === 'required')
      return error.params.requiredProperties.map((name) => ({ path: `${instancePath}/${name}`, message: 'is missing' }))
    if (keyword === 'enum') {
      return [
        { path: instancePath, message: `must be one of ${error.params.allowedValues.map((each) => JSON.stringify(each)).join(', ')}` }
      ]
    }
    return [{ path: instancePath === '' ? '/' : instancePath, message }]
  })
  // Alternatives of a union repeat what is wrong with each of them.
  return problems.filter(
    (problem, index) => problems.findIndex((each) => each.path === problem.path && each.message === problem.message) === index
  )
}

/**
 * Holds a value against its schema.
 *
 * @param what names it in the message: a file or "environment"
 * @throws {AppError} CONFIG_INVALID that lists every problem at once, in `details.problems`
 */
export function checkConfig<Schema extends TSchema>(schema: Schema, value: unknown, what: string): Static<Schema> {
  const problems = problemsOf(schema, value)
  if (problems.length > 0) throw configInvalid(what, problems)
  return value as Static<Schema>
}

export function configInvalid(what: string, problems: readonly ConfigProblem[]): AppError {
  const lines = problems.map((problem) => `  ${problem.path}: ${problem.message}`)
  return new AppError(
    'CONFIG_INVALID',
    `${what} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${lines.join('\n')}`,
    {
      problems
    }
  )
}

/** @throws {AppError} CONFIG_INVALID when the file can't be read or isn't JSON */
export function loadJsonFile(path: string): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (thrown) {
    throw new AppError(
      'CONFIG_INVALID',
      `${path} can't be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { path },
      thrown
    )
  }
  try {
    return JSON.parse(text)
  } catch (thrown) {
    throw new AppError(
      'CONFIG_INVALID',
      `${path} is not JSON: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      { path },
      thrown
    )
  }
}

/**
 * A process's configuration from its environment: `ENDEKS_PORT` fills `port` when the schema has `port`. Text becomes a
 * number or a boolean where the schema asks for one; defaults apply; every problem is listed at once.
 *
 * @param names environment variable by property
 */
export function loadConfig<Schema extends TSchema>(
  schema: Schema,
  names: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>
): Static<Schema> {
  const given: Record<string, unknown> = {}
  for (const [property, name] of Object.entries(names)) {
    const text = environment[name]
    if (text !== undefined && text !== '') given[property] = text
  }
  const value = Value.Default(schema, Value.Convert(schema, given))
  const problems = problemsOf(schema, value).map((problem) => {
    const name = names[problem.path.slice(1)]
    return name === undefined ? problem : { path: name, message: problem.message }
  })
  if (problems.length > 0) throw configInvalid('the environment', problems)
  return value as Static<Schema>
}
