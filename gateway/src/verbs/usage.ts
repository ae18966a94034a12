const bus = `--protocol P (--host H --port N | --serial PATH --baud B [--parity none|even|odd] [--data-bits 7|8]
                     [--stop-bits 1|2]) [--option NAME=VALUE]... [--answer-within MS]`

export const usage = `gateway run SITE.json [--check-config]
    reads the site's meters; ENDEKS_MQTT_PASSWORD, ENDEKS_SPOOL

gateway probe SITE.json BUS ADDRESS [--key NAME] [--json]
gateway probe --address A ${bus}
                     [--key NAME] [--profiles DIR] [--zone Z] [--json]
    talks to one address and says who stands there, what can be read and which profile fits

gateway scan SITE.json BUS [--json]
gateway scan  ${bus} [--json]
    tries the addresses of a bus and prints each find as it comes; Ctrl-C ends it with what was found

gateway keys import FILE       takes the meters' keys from a maker's CSV or JSON file; all of it or nothing
gateway keys list [--json]     names, kinds, versions and when they were imported
gateway keys remove NAME       forgets every version of a meter's keys

gateway decode --protocol P [HEX]
    describes one frame, from the argument or standard input
gateway decode --protocol P --lines
    one object {"hex", "key"?, "profile"?} a line in, one answer a line out

Keys are in the directory ENDEKS_KEYS (beside the spool unless told), encrypted with ENDEKS_KEY_SECRET of at least 16 characters.
A bus has one master: stop the gateway that reads it before probing or scanning.
Exit codes: 0 done or found, 1 nothing found or a failure, 2 wrong use or configuration.`
