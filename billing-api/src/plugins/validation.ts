import { AppError } from '@endeks/domain/errors'
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Value } from 'typebox/value'

const mostProblems = 100
const partNames: Readonly<Record<string, string>> = { querystring: 'query', params: 'params', headers: 'headers' }

/**
 * Holds each part of a request against its schema. A body is taken as it came; the others are text, so whole numbers are read
 * from it and defaults filled in. Everything that is wrong is told at once, by path.
 */
const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  const isText = httpPart !== 'body'
  return (given: unknown) => {
    const value = isText ? Value.Default(schema, withIntegers(schema, given)) : given
    if (validator.Check(value)) {
      const unstorable = unstorableTexts(value, partNames[httpPart ?? ''])
      return unstorable.length === 0 ? { value } : { error: invalid(unstorable, httpPart ?? 'request') }
    }
    return { error: invalid(problemsOf(validator, value, partNames[httpPart ?? '']), httpPart ?? 'request') }
  }
}

/** Reads whole numbers where the schema has them. What is written otherwise, such as 1e2 or 1.5, stays a text and is refused. */
function withIntegers(schema: TSchema, given: unknown): unknown {
  const properties: unknown = 'properties' in schema ? schema.properties : undefined
  if (!isObject(given) || !isObject(properties)) return given
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, isInteger(properties[name]) ? integerOf(value) : value]))
}

function isInteger(schema: unknown): boolean {
  return isObject(schema) && schema['type'] === 'integer'
}

function integerOf(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value
}

/**
 * Texts that no column holds: PostgreSQL's have no NUL, and a half of a surrogate pair is no character. A schema says nothing of
 * them where it takes any value, so all of it is looked at; by a list and not by recursion, as a body may be nested deeply.
 */
function unstorableTexts(whole: unknown, part: string | undefined): { path: string; message: string }[] {
  const problems: { path: string; message: string }[] = []
  const ahead: { readonly path: string; readonly value: unknown }[] = [{ path: part ?? '', value: whole }]
  for (let next = ahead.pop(); next !== undefined && problems.length < mostProblems; next = ahead.pop()) {
    const { path, value } = next
    if (typeof value === 'string' && !isStorable(value))
      problems.push({ path: path || '/', message: 'has a character that can not be stored' })
    if (typeof value !== 'object' || value === null) continue
    for (const [name, inner] of Object.entries(value)) {
      if (isStorable(name)) ahead.push({ path: `${path}/${name}`, value: inner })
      else problems.push({ path: path || '/', message: 'has a name with a character that can not be stored' })
    }
  }
  return problems
}

function isStorable(text: string): boolean {
  return !text.includes('\u0000') && !/\p{Cs}/u.test(text)
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function registerValidation(app: FastifyInstance): void {
  app.setValidatorCompiler(compileValidator)
}

function problemsOf(validator: Validator, value: unknown, part: string | undefined): { path: string; message: string }[] {
  const problems: { path: string; message: string }[] = []
  for (const error of validator.Errors(value)) {
    // An unknown key is reported twice: as a schema of `false` at the key, and by name at its object. The second one says more.
    if (error.keyword === 'boolean') continue
    const unknown = 'additionalProperties' in error.params ? error.params.additionalProperties : undefined
    const detail = Array.isArray(unknown) ? `: ${unknown.join(', ').slice(0, 200)}` : ''
    const path = part === undefined ? error.instancePath || '/' : `${part}${error.instancePath}`
    problems.push({ path, message: `${error.message}${detail}` })
    if (problems.length >= mostProblems) break
  }
  return problems
}

function invalid(problems: readonly { path: string; message: string }[], part: string): AppError {
  const places = problems.slice(0, 3).map((problem) => `${problem.path} ${problem.message}`)
  const more = problems.length > 3 ? ` and ${problems.length - 3} more` : ''
  return new AppError('VALIDATION', `the ${part} is not as it must be: ${places.join('; ')}${more}`, { problems })
}
