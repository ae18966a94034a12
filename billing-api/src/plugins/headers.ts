import type { FastifyInstance } from 'fastify'

/**
 * The console: everything from here, nothing inline but styles (the component library writes its variables as a style element),
 * small fonts and images that the bundler turned into data.
 */
const consolePolicy = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'"
].join('; ')
const dataPolicy = "default-src 'none'; frame-ancestors 'none'"

const always: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'
}

export function isApi(url: string): boolean {
  return /^\/api(\/|\?|$)/.test(url)
}

export function isDocs(url: string): boolean {
  return /^\/docs(\/|\?|$)/.test(url)
}

/** The documentation's pages bring a policy of their own, made of the hashes of their scripts. */
export function headersFor(url: string): Record<string, string> {
  if (isApi(url)) return { ...always, 'content-security-policy': dataPolicy, 'cache-control': 'no-store' }
  return isDocs(url) ? { ...always } : { ...always, 'content-security-policy': consolePolicy }
}

export function registerSecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headersFor(request.url))
  })
}
