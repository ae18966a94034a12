export const usage = `ingest run [--check-config]
    broker, acceptance, validation and commands; settings come from the environment (see README)

ingest replay-dead-letters [--code CODE] [--gateway ID] [--since INSTANT] [--dry-run]
    takes dead letters again, after what was wrong is mended: all that are not taken yet, or those of a code, of a gateway,
    received since an instant (ISO 8601). Safe beside a running ingest, and to repeat. One that is refused again stays, with its new code;
    one that was kept without its end can't be read again. --dry-run only says what would be taken.
    Exit code 1 when any stays behind.

Exit codes: 0 done, 1 a failure, 2 wrong use or configuration.`
