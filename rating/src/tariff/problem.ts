import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** One thing wrong with a document: where, what, and for an example the two amounts that differ. */
export interface Problem {
  /** A JSON pointer into the document. */
  readonly path: string
  readonly message: string
  readonly component?: string
  readonly expected?: string
  readonly got?: string
}

/** How many problems a check reports; a document with more than these is not being written but guessed. */
export const mostProblems = 200

/** Every problem of `value` against `schema`, unknown keys included; empty when it fits. */
export function problemsOf(schema: TSchema, value: unknown, at = ''): Problem[] {
  const problems: Problem[] = []
  for (const error of Value.Errors(schema, value)) {
    // An unknown key is reported twice: as a schema of `false` at the key, and by name at its object. The second one says more.
    if (error.keyword === 'boolean') continue
    const path = `${at}${error.instancePath}`
    problems.push({ path: path === '' ? '/' : path, message: `${error.message}${detail(error.params)}` })
  }
  return problems.slice(0, mostProblems)
}

function detail(params: object): string {
  const unknown = 'additionalProperties' in params ? params.additionalProperties : undefined
  const allowed = 'allowedValues' in params ? params.allowedValues : undefined
  if (Array.isArray(unknown)) return `: ${unknown.join(', ').slice(0, 200)}`
  if (Array.isArray(allowed)) return `: ${allowed.join(', ')}`
  return ''
}

/** Those that occur more than once. */
export function repeated(codes: readonly string[]): string[] {
  return [...new Set(codes.filter((code, index) => codes.indexOf(code) !== index))]
}
