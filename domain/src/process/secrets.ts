/** Names of settings and fields whose values are never shown. */
export const secretName = /password|secret|token|authorization|cookie|credential|key$/i

/** A configuration as `--check-config` may print it: secrets and the passwords inside addresses are masked. */
export function maskSecrets(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, secretName.test(name) ? '***' : maskAddress(value)]))
}

function maskAddress(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/^([a-z]+:\/\/[^:@/]*:)[^@/]*@/, '$1***@') : value
}
