import { importsOf } from './floors.js'
import { matches, type Repository, type Rule, type SourceFile, type Violation } from './repository.js'

function isTest({ path, workspace }: SourceFile): boolean {
  return path.startsWith(`${workspace}/test/`)
}

function inCode(
  repository: Repository,
  pattern: RegExp,
  message: (text: string) => string,
  of: (source: SourceFile) => boolean
): Violation[] {
  return repository.sources.filter(of).flatMap((source) => matches(source, source.scanned.code, pattern, (match) => message(match[0])))
}

/** Where SQL may stand: a `store` folder or file. Grafana's builders make SQL, benchmarks and tests look at tables. */
function mayHoldSql(source: SourceFile): boolean {
  return (
    /(^|\/)store(\/|\.ts$)/.test(source.path) ||
    /^(database|benchmarks)\//.test(source.path) ||
    source.path.startsWith('dashboards/grafana/') ||
    isTest(source)
  )
}

export const nowIsAClock: Rule = {
  name: 'the present is asked of a Clock',
  check: (repository) =>
    inCode(
      repository,
      /\bDate\.now\b|\bnew Date\(\s*\)|\bTemporal\.Now\b/,
      (text) => `${text} is the system's clock: take a Clock`,
      ({ path }) => !path.startsWith('domain/src/process/')
    )
}

/**
 * `Date` counts in the host's zone as soon as one asks it for a day, so it does not appear. `instant.ts` owns the way to and from
 * ISO text; stores map what the database driver gives. `Date.UTC` is arithmetic without a zone and stays.
 */
const dateAllowed = ['domain/src/time/instant.ts']

export const noDate: Rule = {
  name: 'no Date outside stores',
  check: (repository) =>
    inCode(
      repository,
      /\bnew Date\(\s*(?=[^\s)])|\bDate\.parse\b/,
      (text) => `${text.trim()} outside a store: use EpochMs or Temporal`,
      (source) => !isTest(source) && !dateAllowed.includes(source.path) && !/(^|\/)store(\/|\.ts$)/.test(source.path)
    )
}

/** Entry points, what they are framed by, what starts the test server, and programs of a test or a benchmark. */
function ownsTheProcess(source: SourceFile): boolean {
  return (
    /(^|\/)main\.ts$/.test(source.path) ||
    source.path === 'standalone/start.mjs' ||
    /^(domain\/src\/process|database\/src\/testing|benchmarks)\//.test(source.path) ||
    isTest(source)
  )
}

export const processIsMain: Rule = {
  name: 'only main.ts reads the environment, handles signals or exits',
  check: (repository) =>
    inCode(
      repository,
      /(?<![.\w])process\s*\.\s*(?:env|exit|on|once|abort)\b/,
      (text) => `${text} outside main.ts`,
      (source) => !ownsTheProcess(source)
    )
}

/** A statement begins a line or follows a bracket, and is spelt in capitals or without: "Select a meter from the list" is none. */
const statements = [
  /(?:^|[\n(]) *(?:select\s[\s\S]*?\sfrom\s|insert\s+into\s|update\s+[\w."]+\s+(?:as\s+\w+\s+)?set\s|delete\s+from\s|(?:select|call)\s+\w+\.\w+\s*\()/,
  /(?:^|[\n(]) *(?:SELECT\s[\s\S]*?\sFROM\s|INSERT\s+INTO\s|UPDATE\s+[\w."]+\s+(?:AS\s+\w+\s+)?SET\s|DELETE\s+FROM\s|(?:SELECT|CALL)\s+\w+\.\w+\s*\()/
]

export const sqlIsInStores: Rule = {
  name: 'SQL and its drivers stay in stores',
  check: (repository) =>
    repository.sources
      .filter((source) => !mayHoldSql(source))
      .flatMap((source) => [
        ...importsOf(source)
          .filter(({ specifier }) => /^(kysely|pg|pg-copy-streams|pg-cursor)(\/|$)/.test(specifier))
          .map(({ specifier, line }) => ({ file: source.path, line, message: `${specifier} outside a store` })),
        ...source.scanned.literals
          .filter(({ text }) => statements.some((statement) => statement.test(text)))
          .map(({ line, text }) => ({ file: source.path, line, message: `SQL outside a store: ${text.trim().slice(0, 40)}` }))
      ])
}

/** A run's temporary tables and their indexes are no part of the schema. */
export const ddlIsInMigrations: Rule = {
  name: 'tables are made by migrations',
  check: (repository) =>
    repository.sources
      .filter((source) => !isTest(source) && !/^(database|benchmarks)\//.test(source.path))
      .flatMap((source) =>
        source.scanned.literals
          .filter(({ text }) =>
            /(?:^|\n) *(?:create|alter|drop)\s+(?:or\s+replace\s+)?(?:table|schema|function|role|type|view)\s/i.test(text)
          )
          .map(({ line, text }) => ({ file: source.path, line, message: `DDL outside a migration: ${text.trim().slice(0, 40)}` }))
      )
}

export const noDefaultExport: Rule = {
  name: 'no default exports, but for workers and configurations',
  check: (repository) =>
    inCode(
      repository,
      /\bexport\s+default\b|\bexport\s*\{[^}]*\bas\s+default\b/,
      () => 'a default export has no name to search for',
      ({ path }) => !/\.config\.ts$|(^|\/)worker\.ts$|\.d\.ts$/.test(path)
    )
}

export const noAny: Rule = {
  name: 'no any',
  check: (repository) =>
    inCode(
      repository,
      /(?:[:<|&]|=>|\bas|\bextends|\bsatisfies|\breadonly|\btype\s+\w+\s*=)\s*any\b(?!\s*[(:.?])|,\s*any\s*>|\bany\[\]/,
      () => 'any switches the checks off: use unknown and a narrowing',
      ({ path }) => /\.tsx?$/.test(path)
    )
}

export const noSuppression: Rule = {
  name: 'no suppressed check and no unfinished work',
  check: (repository) =>
    repository.sources.flatMap((source) =>
      matches(
        source,
        source.scanned.comments,
        /@ts-(?:ignore|expect-error|nocheck)|biome-ignore|eslint-disable|\b(?:TODO|FIXME|HACK)\b/,
        (match) => `"${match[0]}"`
      )
    )
}

export const noFocus: Rule = {
  name: 'no test is skipped or runs alone',
  check: (repository) =>
    inCode(
      repository,
      /\b(?:t|tap|test)\s*\.\s*(?:only|skip|todo)\s*\(|\b(?:only|skip|todo)\s*:\s*true\b/,
      (text) => `${text.trim()} leaves tests out`,
      (source) => isTest(source)
    )
}

/** Folders that only this or that machine has, as the beginning of a path. */
const machinePath =
  /(?<![\w.:/@$}-])\/(?:home|root|work|tmp|Users|mnt|private|workspace)\/[\w.]|\b[A-Z]:\\\\?(?:Users|work)\b|file:\/\/\/\w/

export const noMachinePath: Rule = {
  name: 'no file names a path of one machine',
  check: (repository) =>
    repository.files.flatMap((file) => matches(file, file.text, machinePath, (match) => `"${match[0]}" is a path of one machine`))
}

/** Which registry serves the packages is the installer's business. `package-lock.json` is written without them. */
const registryAddress =
  /https?:\/\/[\w.-]*(?:registry|npmjs|yarnpkg|jsdelivr|unpkg|verdaccio|artifactory|nexus)[\w.-]*|^\s*(?:@[\w-]+:)?registry\s*=/m

export const noRegistry: Rule = {
  name: 'no file names a registry',
  check: (repository) =>
    repository.files
      .filter(({ path }) => !/\.(sql|svg)$/.test(path))
      .flatMap((file) => matches(file, file.text, registryAddress, (match) => `"${match[0].trim()}" is a registry's address`))
}

export const banRules: readonly Rule[] = [
  nowIsAClock,
  noDate,
  processIsMain,
  sqlIsInStores,
  ddlIsInMigrations,
  noDefaultExport,
  noAny,
  noSuppression,
  noFocus,
  noMachinePath,
  noRegistry
]
