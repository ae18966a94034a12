import { createDecipheriv, timingSafeEqual } from 'node:crypto'
import { obis } from '@endeks/domain/metering'
import { dlms } from '@endeks/gateway/codec'
import { protectionLevels, strictest } from '../ciphering.js'
import { type CosemObject, cosemObject } from '../cosem-object.js'
import type { MeterDevice } from '../device.js'
import { integer, octets, otherReason, success, typeUnmatched } from '../values.js'
import type { CurrentAssociation } from './association-object.js'

const securitySetupClass = 64
export const securitySetupName = obis('0-0:43.0.0*255')
const suite0 = 0

/** Class 64 version 0: policy, suite, titles; a policy is made stricter, and keys are exchanged under the master key. */
export function securitySetupObject(device: MeterDevice, current: CurrentAssociation): CosemObject {
  const policy = () => strictest(current.definition.protection, device.policy)
  return cosemObject({
    class: securitySetupClass,
    obis: securitySetupName,
    seenBy: 'read',
    attributes: {
      2: { read: () => integer('enum', protectionLevels.indexOf(policy())) },
      3: { read: () => integer('enum', suite0) },
      4: { read: () => octets(current.clientTitle() ?? new Uint8Array(0)) },
      5: { read: () => octets(device.title) }
    },
    methods: {
      1: {
        by: 'manage',
        invoke(parameters) {
          const level = parameters?.type === 'enum' ? protectionLevels[parameters.value] : undefined
          if (level === undefined) return typeUnmatched
          if (strictest(level, policy()) !== level) return otherReason
          device.policy = level
          return success
        }
      },
      2: { by: 'manage', invoke: (parameters) => transferKeys(device, parameters) }
    }
  })
}

const transferable = ['global', 'broadcast', 'authentication'] as const

/** global_key_transfer: pairs of key_id and the key wrapped by RFC 3394. One that does not unwrap changes none. */
function transferKeys(device: MeterDevice, parameters: dlms.DlmsData | undefined): dlms.ActionResult {
  const master = device.options.keys?.master
  if (parameters?.type !== 'array' || parameters.value.length === 0) return typeUnmatched
  if (master === undefined || device.keys === undefined) return otherReason
  let keys = device.keys
  for (const pair of parameters.value) {
    const [id, wrapped] = pair.type === 'structure' ? pair.value : []
    const kind = id?.type === 'enum' ? transferable[id.value] : undefined
    if (kind === undefined || wrapped?.type !== 'octet-string') return typeUnmatched
    const key = unwrapped(Buffer.from(master, 'hex'), wrapped.value)
    if (key === undefined) return otherReason
    keys = { ...keys, [kind]: key }
  }
  device.replaceKeys(keys)
  return success
}

const wrapCheck = Buffer.alloc(8, 0xa6)
const half = wrapCheck.length
const rounds = 6

/** AES key unwrap (RFC 3394, 2.2.2) of a key of two halves; undefined when the check value does not come out. */
function unwrapped(master: Uint8Array, wrapped: Uint8Array): Uint8Array | undefined {
  if (wrapped.length !== half + dlms.keySize) return undefined
  const cipher = createDecipheriv('aes-128-ecb', master, null).setAutoPadding(false)
  let check = Buffer.from(wrapped.subarray(0, half))
  const halves = [wrapped.subarray(half, 2 * half), wrapped.subarray(2 * half)]
  for (let step = rounds * halves.length; step > 0; step -= 1) {
    const place = (step - 1) % halves.length
    // The number of the step fits into the last byte of what RFC 3394 counts in eight.
    check[half - 1] = (check[half - 1] ?? 0) ^ step
    const opened = cipher.update(Buffer.concat([check, halves[place] ?? check]))
    check = opened.subarray(0, half)
    halves[place] = opened.subarray(half)
  }
  return timingSafeEqual(check, wrapCheck) ? Buffer.concat(halves) : undefined
}
