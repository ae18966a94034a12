import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { lineAt, type Scanned, scan } from './scan.js'

export interface RepositoryFile {
  /** from the root, with slashes */
  readonly path: string
  readonly text: string
}

export interface SourceFile extends RepositoryFile {
  readonly workspace: string
  readonly scanned: Scanned
}

/** What the rules look at: the checkout, or a few lines that a test plants. */
export interface Repository {
  readonly files: readonly RepositoryFile[]
  /** TypeScript and JavaScript */
  readonly sources: readonly SourceFile[]
  readonly packages: readonly Package[]
  /** whether a path stands on the disk, be it built or kept */
  exists(path: string): boolean
}

export interface Package {
  readonly path: string
  /** the workspace's folder, or '' for the root */
  readonly folder: string
  readonly text: string
  readonly content: PackageJson
}

export interface PackageJson {
  readonly name?: string
  readonly workspaces?: readonly string[]
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface Violation {
  readonly file: string
  readonly line: number
  readonly message: string
}

export interface Rule {
  readonly name: string
  check(repository: Repository): Violation[]
}

export function describe(violation: Violation): string {
  return `${violation.file}:${violation.line} ${violation.message}`
}

/** A repository of the given files; `exists` knows them and nothing else. */
export function repositoryOf(texts: Readonly<Record<string, string>>, exists = (path: string): boolean => path in texts): Repository {
  const files = Object.entries(texts).map(([path, text]) => ({ path, text }))
  const sources = files
    .filter(({ path }) => /\.(ts|tsx|mjs|js)$/.test(path))
    .map((file) => ({ ...file, workspace: file.path.split('/')[0] ?? '', scanned: scan(file.text) }))
  const packages = files
    .filter(({ path }) => /^([^/]+\/)?package\.json$/.test(path))
    .map(({ path, text }) => ({ path, text, folder: path.slice(0, -'/package.json'.length), content: JSON.parse(text) as PackageJson }))
  return { files, sources, packages, exists }
}

/** The checkout around this file, new files included, ignored ones not. */
export function readRepository(): Repository {
  const root = findRoot(dirname(fileURLToPath(import.meta.url)))
  const texts: Record<string, string> = {}
  for (const path of listed(root) ?? walked(root, root)) {
    const full = join(root, path)
    if (isText(path) && existsSync(full) && statSync(full).isFile()) texts[path] = readFileSync(full, 'utf8')
  }
  return repositoryOf(texts, (path) => existsSync(join(root, path)))
}

function findRoot(from: string): string {
  const packageFile = join(from, 'package.json')
  if (existsSync(packageFile) && (JSON.parse(readFileSync(packageFile, 'utf8')) as PackageJson).workspaces !== undefined) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('no package.json with workspaces stands above this test')
  return findRoot(parent)
}

/** @returns undefined outside a checkout, or where git is not installed: an unpacked archive is checked too */
function listed(root: string): string[] | undefined {
  if (!existsSync(join(root, '.git'))) return undefined
  try {
    const output = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 16 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore']
    })
    return [...new Set(output.split('\0').filter((path) => path !== ''))]
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined
    throw thrown
  }
}

const unkept = new Set(['node_modules', 'dist', 'coverage', '.tap', '.git', 'data'])

function walked(root: string, folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return unkept.has(entry.name) ? [] : walked(root, join(folder, entry.name))
    return entry.isFile() && !/\.(tsbuildinfo|log)$/.test(entry.name)
      ? [relative(root, join(folder, entry.name)).replaceAll('\\', '/')]
      : []
  })
}

function isText(path: string): boolean {
  return !/\.(png|jpe?g|gif|ico|woff2?|ttf|otf|pdf|bin|gz|zip)$/.test(path)
}

/** Every place where a pattern matches in one of a file's texts. */
export function matches(file: RepositoryFile, text: string, pattern: RegExp, message: (match: RegExpExecArray) => string): Violation[] {
  const all = new RegExp(pattern.source, pattern.flags.includes('g') ? pattern.flags : `${pattern.flags}g`)
  return Array.from(text.matchAll(all), (match) => ({ file: file.path, line: lineAt(text, match.index), message: message(match) }))
}
