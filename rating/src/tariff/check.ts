import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import Type from 'typebox'
import { type ComponentDefinition, componentKind, componentKindNames } from './components/index.js'
import { mostComponents, type TariffDocument, tariffHead } from './document.js'
import { exampleProblems } from './example.js'
import { checkKdvTable, dateExists, type KdvTable, rowProblems } from './kdv.js'
import { findCycle, kindOf, type PreparedTariff, prepareTariff } from './prepare.js'
import { mostProblems, type Problem, problemsOf, repeated } from './problem.js'

/** The document with its components still unknown. */
const Head = Type.Object(
  { ...tariffHead, components: Type.Array(Type.Unknown(), { minItems: 1, maxItems: mostComponents }) },
  { additionalProperties: false }
)

/**
 * Holds a value against everything that a tariff must be, in three rounds, each listing all it finds: its shape; its sense
 * (tiers without gap or overlap, bases that exist and form no cycle, KDV classes with a rate, dates that exist); its examples.
 * A tariff is published only when this is a success.
 *
 * @param kdv the common table; the tariff's own `taxes` take its place by class
 */
export function checkTariff(value: unknown, kdv: KdvTable): Result<TariffDocument, Problem[]> {
  const prepared = readTariff(value, kdv)
  if (!prepared.ok) return prepared
  const { document } = prepared.value
  const examples = (document.examples ?? []).flatMap((example, index) => exampleProblems(prepared.value, example, `/examples/${index}`))
  return examples.length > 0 ? failure(examples.slice(0, mostProblems)) : success(document)
}

/**
 * A tariff that was published, ready to rate: its shape and sense hold, its examples are not tried again. They were right with
 * the KDV rates of their day, and the law may have changed a rate since.
 */
export function readTariff(value: unknown, kdv: KdvTable): Result<PreparedTariff, Problem[]> {
  const shape = [...problemsOf(Head, value), ...componentProblems(value)]
  if (shape.length > 0) return failure(shape.slice(0, mostProblems))
  const document = value as TariffDocument
  const sense = senseProblems(document, kdv)
  if (sense.length > 0) return failure(sense.slice(0, mostProblems))
  return prepare(document, kdv)
}

function componentProblems(value: unknown): Problem[] {
  if (typeof value !== 'object' || value === null || !('components' in value) || !Array.isArray(value.components)) return []
  const components: readonly unknown[] = value.components.slice(0, mostComponents)
  return components.flatMap((component, index) => {
    const path = `/components/${index}`
    const name = typeof component === 'object' && component !== null && 'kind' in component ? component.kind : undefined
    const kind = typeof name === 'string' ? componentKind(name) : undefined
    if (kind !== undefined) return problemsOf(kind.schema, component, path)
    return [{ path: `${path}/kind`, message: `must be one of: ${componentKindNames.join(', ')}` }]
  })
}

function senseProblems(document: TariffDocument, kdv: KdvTable): Problem[] {
  const problems: Problem[] = []
  if (!dateExists(document.validFrom)) problems.push({ path: '/validFrom', message: `${document.validFrom} is not a day of the calendar` })
  const codes = document.components.map((component) => component.code)
  for (const code of repeated(codes)) {
    problems.push({ path: `/components/${codes.lastIndexOf(code)}/code`, message: `"${code}" is another component's too`, component: code })
  }
  const own = document.taxes?.kdv ?? {}
  for (const [kdvClass, rows] of Object.entries(own)) problems.push(...rowProblems(`/taxes/kdv/${kdvClass}`, rows))
  const classes = new Set([...Object.keys(kdv), ...Object.keys(own)])
  for (const [index, component] of document.components.entries()) {
    problems.push(...kindProblems(component, `/components/${index}`, codes))
    if (!classes.has(component.kdv)) {
      const message = `no KDV rate is known for the class "${component.kdv}"; known: ${[...classes].join(', ')}`
      problems.push({ path: `/components/${index}/kdv`, message, component: component.code })
    }
  }
  const cycle = findCycle(document.components)
  if (cycle !== undefined) {
    const [first = ''] = cycle
    const message = `components take each other's amounts: ${cycle.join(' > ')}`
    problems.push({ path: `/components/${codes.indexOf(first)}/of`, message, component: first })
  }
  return problems
}

function kindProblems(component: ComponentDefinition, path: string, codes: readonly string[]): Problem[] {
  const kind = kindOf(component)
  const own = kind.problems(component).map((problem) => ({ ...problem, path: `${path}${problem.path}`, component: component.code }))
  const unknown = kind.bases(component).filter((base) => !codes.includes(base))
  return [...own, ...unknown.map((base) => ({ path: `${path}/of`, message: `there is no component "${base}"`, component: component.code }))]
}

function prepare(document: TariffDocument, kdv: KdvTable): Result<PreparedTariff, Problem[]> {
  const table = checkKdvTable(kdv)
  if (!table.ok) return failure(table.error.map((problem) => ({ ...problem, message: `the KDV table: ${problem.message}` })))
  try {
    return success(prepareTariff(document, kdv))
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return failure([{ path: '/', message: thrown.message }])
  }
}
