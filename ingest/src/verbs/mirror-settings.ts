import { AppError } from '@endeks/domain/errors'
import Type from 'typebox'
import type { ReceiverOptions } from '../mirror/receiver.js'

/** Where readings are mirrored to; nowhere without a URL. */
export const mirrorSettings = {
  /** an InfluxDB, or what speaks like one */
  mirrorUrl: Type.Optional(Type.String({ pattern: '^https?://[^/?#]+(/[^?#]*)?$', maxLength: 500 })),
  mirrorToken: Type.Optional(Type.String({ minLength: 1 })),
  mirrorOrg: Type.String({ minLength: 1, maxLength: 200, default: 'endeks' }),
  mirrorBucket: Type.String({ minLength: 1, maxLength: 200, default: 'endeks' }),
  /** without a password, which would be shown and logged: the URL has a place for it */
  mirrorPath: Type.Optional(Type.String({ pattern: '^/(?!.*[?&]p=)', maxLength: 500 }))
}

export const mirrorNames = {
  mirrorUrl: 'ENDEKS_MIRROR_URL',
  mirrorToken: 'ENDEKS_MIRROR_TOKEN',
  mirrorOrg: 'ENDEKS_MIRROR_ORG',
  mirrorBucket: 'ENDEKS_MIRROR_BUCKET',
  mirrorPath: 'ENDEKS_MIRROR_PATH'
} as const

interface MirrorConfig {
  readonly mirrorUrl?: string
  readonly mirrorToken?: string
  readonly mirrorOrg: string
  readonly mirrorBucket: string
  readonly mirrorPath?: string
}

/** To be spread over the service's options. @throws {AppError} CONFIG_INVALID for a URL that is none */
export function mirrorOptions(config: MirrorConfig): { readonly mirror?: ReceiverOptions } {
  const { mirrorUrl: url, mirrorToken: token, mirrorOrg: org, mirrorBucket: bucket, mirrorPath: path } = config
  if (url === undefined) return {}
  if (!URL.canParse(url)) throw new AppError('CONFIG_INVALID', 'ENDEKS_MIRROR_URL is not a URL such as http://host:8086')
  return { mirror: { url, org, bucket, ...(token === undefined ? {} : { token }), ...(path === undefined ? {} : { path }) } }
}
