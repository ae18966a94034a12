export const usage = `ingest run [--check-config]
    broker, acceptance, validation and commands; settings come from the environment (see README)

Exit codes: 0 done, 1 a failure, 2 wrong use or configuration.`
