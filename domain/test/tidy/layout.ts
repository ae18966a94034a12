import { matches, type Repository, type Rule, type Violation } from './repository.js'
import { lineAt } from './scan.js'

export const everyWorkspaceIsExplained: Rule = {
  name: 'every workspace says in a README.md what it owns',
  check: (repository) => {
    const root = repository.packages.find(({ folder }) => folder === '')
    return (root?.content.workspaces ?? [])
      .filter((workspace) => !repository.files.some(({ path }) => path === `${workspace}/README.md`))
      .map((workspace) => ({ file: `${workspace}/README.md`, line: 1, message: 'is missing' }))
  }
}

const mostLines = 450

export const filesAreShort: Rule = {
  name: `no source file is longer than ${mostLines} lines`,
  check: (repository) =>
    repository.sources
      .filter(({ path }) => path.includes('/src/') && path !== 'database/src/schema/tables.ts')
      .map((source) => ({ source, lines: source.text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > mostLines)
      .map(({ source, lines }) => ({ file: source.path, line: mostLines + 1, message: `has ${lines} lines` }))
}

export const noUtils: Rule = {
  name: 'no file is called after nothing',
  check: (repository) =>
    repository.sources
      .filter(({ path }) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.[a-z]+$)/.test(path))
      .map(({ path }) => ({ file: path, line: 1, message: 'name it after what it does' }))
}

/** Forward-only: 0001, 0002, … without a gap, each with one file of statements and one that checks what they promise. */
export const migrationsAreContiguous: Rule = {
  name: 'migrations are numbered without a gap, each with its check',
  check: (repository) => {
    const paths = repository.files.map(({ path }) => path).filter((path) => path.startsWith('database/migrations/'))
    const problems: Violation[] = []
    const numbers = new Map<number, { statements: string[]; checks: string[] }>()
    for (const path of paths) {
      const match = /^database\/migrations\/(\d{4})(?:_[a-z0-9]+(?:_[a-z0-9]+)*|(\.check))\.sql$/.exec(path)
      if (match === null) {
        problems.push({ file: path, line: 1, message: 'is neither NNNN_verb_noun.sql nor NNNN.check.sql' })
        continue
      }
      const entry = numbers.get(Number(match[1])) ?? { statements: [], checks: [] }
      ;(match[2] === undefined ? entry.statements : entry.checks).push(path)
      numbers.set(Number(match[1]), entry)
    }
    for (let number = 1; number <= Math.max(0, ...numbers.keys()); number += 1) {
      const { statements, checks } = numbers.get(number) ?? { statements: [], checks: [] }
      const file = statements[0] ?? checks[0] ?? `database/migrations/${String(number).padStart(4, '0')}`
      if (statements.length !== 1) problems.push({ file, line: 1, message: `${statements.length} migrations have this number` })
      if (checks.length !== 1) problems.push({ file, line: 1, message: `${checks.length} checks have this number` })
    }
    return problems
  }
}

export const versionsAreExact: Rule = {
  name: 'package versions are exact',
  check: (repository) =>
    repository.packages.flatMap(({ path, text, content }) =>
      Object.entries({ ...content.dependencies, ...content.devDependencies })
        .filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/.test(version))
        .map(([name, version]) => ({
          file: path,
          line: lineAt(text, text.indexOf(`"${name}":`)),
          message: `${name} "${version}" is a range`
        }))
    )
}

/** Codes that no code mentions outside the catalogue: promises nobody keeps. They are told, not failed: rooms come one by one. */
export function unusedCodes(repository: Repository, codes: readonly string[]): string[] {
  const used = repository.files
    .filter(
      ({ path }) => /\/(src|migrations)\/.*\.(ts|tsx|sql)$/.test(path) && !path.includes('/i18n/') && !path.endsWith('errors/catalogue.ts')
    )
    .map(({ text }) => text)
    .join('\n')
  return codes.filter((code) => !used.includes(`'${code}'`))
}

export const namesNoIssue: Rule = {
  name: 'comments explain by themselves, without a tracker',
  check: (repository) =>
    repository.sources.flatMap((source) =>
      matches(
        source,
        source.scanned.comments,
        /\b(?:issue|ticket|bug)\s+#?\d+\b/i,
        (match) => `"${match[0]}" is of no use to a reader without it`
      )
    )
}

export const layoutRules: readonly Rule[] = [
  everyWorkspaceIsExplained,
  filesAreShort,
  noUtils,
  migrationsAreContiguous,
  versionsAreExact,
  namesNoIssue
]
