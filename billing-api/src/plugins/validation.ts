import { AppError } from '@endeks/domain/errors'
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { Value } from 'typebox/value'

const mostProblems = 100
const partNames: Readonly<Record<string, string>> = { querystring: 'query', params: 'params', headers: 'headers' }

/**
 * Holds each part of a request against its schema. A body is taken as it came; the others are text, so numbers are read from
 * it and defaults filled in. Everything that is wrong is told at once, by path.
 */
const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  const isText = httpPart !== 'body'
  return (given: unknown) => {
    const value = isText ? Value.Default(schema, Value.Convert(schema, given)) : given
    if (validator.Check(value)) return { value }
    return { error: invalid(problemsOf(validator, value, partNames[httpPart ?? '']), httpPart ?? 'request') }
  }
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
