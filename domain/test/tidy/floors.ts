import { posix } from 'node:path'
import { matches, type Package, type Repository, type Rule, type SourceFile, type Violation } from './repository.js'
import { lineAt } from './scan.js'

/** Doors that a folder may go through: a package with all its doors, or one door. */
interface Floor {
  readonly code: readonly string[]
  /** what its tests need besides */
  readonly tests?: readonly string[]
}

const everything = [
  '@endeks/domain',
  '@endeks/database',
  '@endeks/gateway',
  '@endeks/firmware-sim',
  '@endeks/ingest',
  '@endeks/rating',
  '@endeks/billing-api'
]

/** Who may import whom. Services meet in `domain/wire` and in tables, never in each other's code. */
const floors: Readonly<Record<string, Floor>> = {
  domain: { code: [] },
  database: { code: ['@endeks/domain'] },
  gateway: { code: ['@endeks/domain'] },
  'firmware-sim': { code: ['@endeks/domain', '@endeks/gateway/codec'] },
  ingest: { code: ['@endeks/domain', '@endeks/database'] },
  rating: { code: ['@endeks/domain', '@endeks/database'] },
  'billing-api': {
    code: ['@endeks/domain', '@endeks/database', '@endeks/rating/tariff', '@endeks/gateway/codec', '@endeks/ingest/formats']
  },
  // The panels' SQL is run against a migrated database by a test; the console itself knows the API only.
  dashboards: {
    code: ['@endeks/domain', '@endeks/billing-api/contract', '@endeks/rating/tariff'],
    tests: ['@endeks/database/testing', '@endeks/database/pool']
  },
  standalone: { code: everything },
  benchmarks: { code: everything }
}

interface Import {
  readonly specifier: string
  readonly line: number
}

/** Static, dynamic and re-exporting imports, and modules named by `import.meta.resolve`. */
export function importsOf(source: SourceFile): Import[] {
  const { code, withLiterals } = source.scanned
  const pattern = /(?:(?<![.\w])from\s*|(?<![.\w])import\s*\(?\s*|\bimport\.meta\.resolve\(\s*|(?<![.\w])require\(\s*)(['"]) +\1/g
  return Array.from(code.matchAll(pattern), (match) => {
    const end = match.index + match[0].length - 1
    const begin = code.lastIndexOf(match[1] ?? '', end - 1) + 1
    return { specifier: withLiterals.slice(begin, end), line: lineAt(code, begin) }
  })
}

function isTest(source: SourceFile): boolean {
  return source.path.startsWith(`${source.workspace}/test/`)
}

function eachImport(
  repository: Repository,
  judge: (source: SourceFile, specifier: string) => string | undefined,
  of: (source: SourceFile) => boolean = () => true
): Violation[] {
  return repository.sources.filter(of).flatMap((source) =>
    importsOf(source).flatMap(({ specifier, line }) => {
      const message = judge(source, specifier)
      return message === undefined ? [] : [{ file: source.path, line, message }]
    })
  )
}

function within(specifier: string, doors: readonly string[]): boolean {
  return doors.some((door) => specifier === door || specifier.startsWith(`${door}/`))
}

export const floorsHold: Rule = {
  name: 'a workspace imports only from the floors below it',
  check: (repository) =>
    eachImport(repository, (source, specifier) => {
      const floor = floors[source.workspace]
      if (floor === undefined || !specifier.startsWith('@endeks/')) return undefined
      const allowed = isTest(source) ? [...floor.code, ...(floor.tests ?? [])] : floor.code
      return within(specifier, allowed) ? undefined : `${source.workspace} may not import ${specifier}`
    })
}

/** `tsc -b` builds what is referenced: a reference upwards is an import waiting to happen, and a slower build until then. */
export const referencesHold: Rule = {
  name: 'tsconfig references follow the floors',
  check: (repository) =>
    repository.files
      .filter(({ path }) => /^[^/]+\/tsconfig\.json$/.test(path))
      .flatMap((file) => {
        const workspace = file.path.split('/')[0] ?? ''
        const floor = floors[workspace]
        if (floor === undefined) return []
        const allowed = [...floor.code, ...(floor.tests ?? [])].map((door) => door.split('/')[1])
        return matches(file, file.text, /"path":\s*"\.\.\/([^"/]+)"/, (match) => match[1] ?? '')
          .filter(({ message }) => !allowed.includes(message))
          .map((found) => ({ ...found, message: `${workspace} may not reference ${found.message}` }))
      })
}

export const testDoorsHold: Rule = {
  name: 'the testing door is for tests and benchmarks',
  check: (repository) =>
    eachImport(
      repository,
      (_, specifier) => (within(specifier, ['@endeks/database/testing']) ? `${specifier} outside a test` : undefined),
      (source) => !isTest(source) && source.workspace !== 'benchmarks'
    )
}

export const domainIsBrowserSafe: Rule = {
  name: 'domain runs in a browser, but for its process folder',
  check: (repository) => [
    ...eachImport(
      repository,
      (_, specifier) => (specifier.startsWith('node:') ? `${specifier} is not in a browser` : undefined),
      ({ path }) => path.startsWith('domain/src/') && !path.startsWith('domain/src/process/')
    ),
    ...eachImport(
      repository,
      (_, specifier) => (within(specifier, ['@endeks/domain/process']) ? `${specifier} is not in a browser` : undefined),
      ({ path }) => /^dashboards\/(staff|portal|kiosk)\//.test(path)
    )
  ]
}

export const relativeImportsStayHome: Rule = {
  name: 'no relative import leaves its workspace',
  check: (repository) =>
    eachImport(repository, (source, specifier) => {
      if (!specifier.startsWith('.')) return undefined
      const target = posix.join(posix.dirname(source.path), specifier)
      return target.startsWith(`${source.workspace}/`) ? undefined : `${specifier} leads out of ${source.workspace}`
    })
}

function packageOf(repository: Repository, specifier: string): Package | undefined {
  const [scope, name] = specifier.split('/')
  return repository.packages.find(({ content }) => content.name === `${scope}/${name}`)
}

export const doorsHold: Rule = {
  name: 'imports between workspaces go through a door that the package exports',
  check: (repository) =>
    eachImport(repository, (_, specifier) => {
      if (!specifier.startsWith('@endeks/')) return undefined
      const door = `.${specifier.slice(specifier.split('/').slice(0, 2).join('/').length)}`
      const exported = packageOf(repository, specifier)?.content.exports ?? {}
      return Object.hasOwn(exported, door) ? undefined : `${specifier} is no door: its package exports no "${door}"`
    })
}

export const importsAreDeclared: Rule = {
  name: "every imported package stands in the workspace's package.json",
  check: (repository) => {
    const root = repository.packages.find(({ folder }) => folder === '')
    return eachImport(
      repository,
      (source, specifier) => {
        if (/^(\.|#|node:|vite\/|virtual:)/.test(specifier)) return undefined
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        const own = repository.packages.find(({ folder }) => folder === source.workspace)?.content
        const declared = { ...own?.dependencies, ...(isTest(source) ? { ...own?.devDependencies, ...root?.content.devDependencies } : {}) }
        if (source.path.endsWith('.config.ts')) Object.assign(declared, own?.devDependencies)
        return Object.hasOwn(declared, name) || own?.name === name ? undefined : `${name} is not among the dependencies`
      },
      (source) => floors[source.workspace] !== undefined
    )
  }
}

export const exportsAreDoors: Rule = {
  name: 'exports list each door, and each leads to a built file',
  check: (repository) =>
    repository.packages.flatMap((each) => {
      const at = (text: string): number => lineAt(each.text, Math.max(0, each.text.indexOf(JSON.stringify(text))))
      return Object.entries(each.content.exports ?? {}).flatMap(([door, targets]) => {
        if (door.includes('*')) return [{ file: each.path, line: at(door), message: `"${door}" opens every file` }]
        return (typeof targets === 'string' ? [targets] : Object.values(targets))
          .filter((target) => !repository.exists(posix.join(each.folder, target)))
          .map((target) => ({ file: each.path, line: at(door), message: `"${door}" leads to ${target}, which is not built` }))
      })
    })
}

export const floorRules: readonly Rule[] = [
  floorsHold,
  referencesHold,
  testDoorsHold,
  domainIsBrowserSafe,
  relativeImportsStayHome,
  doorsHold,
  importsAreDeclared,
  exportsAreDoors
]
