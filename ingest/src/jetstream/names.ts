/**
 * The streams that NATS keeps its MQTT in. A PUBLISH with QoS 1 on `endeks/1/GW/readings` is stored in `$MQTT_msgs` under
 * `$MQTT.msgs.endeks.1.GW.readings`, and only then acknowledged; the plain subject is only for who listens at that moment.
 */
export const messagesStream = '$MQTT_msgs'
export const sessionsStream = '$MQTT_sess'
export const retainedStream = '$MQTT_rmsgs'
export const messagesPrefix = '$MQTT.msgs.'

/** The one consumer that all processes share. */
export const consumerName = 'ingest'

/** Where answers to ingest's requests arrive; nobody else may listen there. */
export const inboxPrefix = '_INBOX_INGEST'

/** Bounds a stored message: NATS bounds what MQTT brings nowhere else. It is `max_payload` of deploy/nats/nats.conf. */
export const messageBytes = 1024 * 1024
