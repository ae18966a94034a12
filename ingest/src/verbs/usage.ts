export const usage = `ingest run [--source mqtt|jetstream] [--check-config]
    broker, acceptance, validation and commands; settings come from the environment (see README);
    with --source jetstream NATS takes the broker's place, and any number of processes may run

ingest replay-dead-letters [--code CODE] [--gateway ID] [--since INSTANT] [--dry-run]
    takes dead letters again, after what was wrong is mended: all that are not taken yet, or those of a code, of a gateway,
    received since an instant (ISO 8601). Safe beside a running ingest, and to repeat. One that is refused again stays, with its new code;
    one that was kept without its end can't be read again. --dry-run only says what would be taken.
    Exit code 1 when any stays behind.

ingest ca create DIR --name HOST ... --address IP ... [--days N]
    a private authority (10 years), and the broker's certificate for the names and addresses under which gateways reach it
ingest ca server DIR --name HOST ... --address IP ... [--days N]
    a new certificate for the broker; one that runs takes it into use by itself
ingest ca enrol DIR GATEWAY [--out FOLDER] [--days N]
    a gateway's key and certificate, which is let in from now on; needs ENDEKS_DATABASE_URL of a user that may take endeks_enrolment
ingest ca revoke GATEWAY [--serial S]
    lets the gateway's certificates in no more, or one of them
ingest ca list [GATEWAY]
    gateway, serial, issued, not after, state

ingest nats-config --key FILE [--out FILE]
    accounts, users and rights for nats-server from the certificates in force; ingest's key is made in FILE if it is not there.
    Run it after every enrolment and revocation, and tell the nodes to reload

Exit codes: 0 done, 1 a failure, 2 wrong use or configuration.`
