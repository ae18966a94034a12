import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, asError } from '@endeks/domain/errors'
import { AckPolicy, type ConsumerInfo, DiscardPolicy, type JetStreamManager, RetentionPolicy, type StreamConfig } from '@nats-io/jetstream'
import { nanos } from '@nats-io/transport-node'
import { consumerName, messageBytes, messagesPrefix, messagesStream, retainedStream, sessionsStream } from './names.js'
import type { JetStreamLimits, JetStreamOptions } from './options.js'

/** A session of a gateway is some hundred bytes, and the oldest make room. */
const sessionsBytes = 256 * 1024 * 1024
const pauseMs = 500

/** Codes of the JetStream API. */
export const notFound = { stream: [10_059], consumer: [10_014], message: [10_043, 10_057] } as const

/**
 * Makes what is missing of the streams and the consumer.
 *
 * NATS would make the streams itself when the first gateway connects, and keep there only what somebody waits for: acknowledged
 * before ingest's first start, or while its consumer is missing, would mean lost. So they are made here, keeping everything until
 * it is taken out, refusing when full; and the account demands a bound that NATS' own attempt doesn't name, so that no gateway
 * gets in before they are there. A retained message would outlive its acknowledgement; its stream takes none.
 *
 * @throws {AppError} CONFIG_INVALID for a stream that would lose messages; STREAM_UNREACHABLE when the cluster does not answer
 */
export async function prepareStreams(manager: JetStreamManager, options: JetStreamOptions, limits: JetStreamLimits): Promise<void> {
  const common = { num_replicas: options.replicas, storage: 'file', retention: RetentionPolicy.Limits } as const
  const streams = [
    { ...common, name: sessionsStream, subjects: ['$MQTT.sess.>'], max_msgs_per_subject: 1, max_bytes: sessionsBytes },
    { ...common, name: retainedStream, subjects: ['$MQTT.rmsgs'], max_bytes: messageBytes, max_msg_size: 1 },
    {
      ...common,
      name: messagesStream,
      subjects: [`${messagesPrefix}>`],
      max_bytes: options.streamBytes,
      max_msg_size: messageBytes,
      discard: DiscardPolicy.New
    }
  ]
  await untilThere(limits.startWithinMs, async () => {
    for (const stream of streams) {
      const standing = await orMissing(notFound.stream, manager.streams.info(stream.name))
      if (standing === undefined) await manager.streams.add(stream)
      else if (stream.name === messagesStream) refuseLossy(standing.config)
    }
    const consumer = await orMissing(notFound.consumer, manager.consumers.info(messagesStream, consumerName))
    if (consumer === undefined) await addConsumer(manager, limits)
    else refuseGivingUp(consumer)
  })
}

async function addConsumer(manager: JetStreamManager, limits: JetStreamLimits): Promise<void> {
  await manager.consumers.add(messagesStream, {
    durable_name: consumerName,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(limits.ackWaitMs),
    max_ack_pending: limits.maxAckPending,
    max_deliver: -1
  })
}

function refuseLossy({ name, retention, discard, max_age, max_msgs, max_msgs_per_subject }: StreamConfig): void {
  const wrong = [
    ...(retention === RetentionPolicy.Limits ? [] : [`retention is "${retention}", not "limits"`]),
    ...(discard === DiscardPolicy.New ? [] : [`a full stream discards "${discard}", not "new"`]),
    ...(max_age === 0 ? [] : ['messages have an age at which they go']),
    ...(max_msgs_per_subject === -1 && max_msgs === -1 ? [] : ['messages are bounded in number'])
  ]
  if (wrong.length === 0) return
  throw new AppError(
    'CONFIG_INVALID',
    `the stream ${name} would lose acknowledged messages: ${wrong.join(', ')}. Let ingest take what is in it, delete it, and start ingest before any gateway connects`
  )
}

function refuseGivingUp({ name, config }: ConsumerInfo): void {
  const fits = config.ack_policy === AckPolicy.Explicit && (config.max_deliver ?? -1) === -1 && (config.filter_subject ?? '') === ''
  if (fits) return
  throw new AppError(
    'CONFIG_INVALID',
    `the consumer ${name} of ${messagesStream} would leave messages behind: it must take every subject, be acknowledged explicitly and never give up. Delete it, and start ingest again`
  )
}

/** A cluster that has just started has no leaders yet. */
async function untilThere(withinMs: number, work: () => Promise<void>): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      return await work()
    } catch (thrown) {
      if (thrown instanceof AppError) throw thrown
      if (performance.now() > end) {
        throw new AppError('STREAM_UNREACHABLE', `JetStream can't be used: ${asError(thrown).message}`, {}, thrown)
      }
      await sleep(pauseMs)
    }
  }
}

export async function orMissing<Value>(codes: readonly number[], asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && codes.some((code) => code === thrown.code)) return undefined
    throw thrown
  }
}
