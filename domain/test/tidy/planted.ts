import { describe, type Rule, repositoryOf } from './repository.js'

const packageOf = (name: string, more: object = {}): string =>
  JSON.stringify({ name: `@endeks/${name}`, exports: {}, ...more }, undefined, 2)

const floor: Readonly<Record<string, string>> = {
  'package.json': JSON.stringify({ workspaces: ['domain', 'rating'], devDependencies: { tap: '1.0.0' } }),
  'domain/README.md': '',
  'rating/README.md': '',
  'domain/package.json': packageOf('domain', { exports: { './errors': './dist/src/errors/index.js' } }),
  'domain/dist/src/errors/index.js': '',
  'rating/package.json': packageOf('rating', { dependencies: { '@endeks/domain': '1.0.0' } })
}

/** What the rule says about a small tidy repository to which these files were added. */
export function said(rule: Rule, files: Readonly<Record<string, string>>): string[] {
  return rule.check(repositoryOf({ ...floor, ...files })).map(describe)
}
