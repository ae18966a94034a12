/** A question is the folder of this name, with its README.md, its run.ts and its results. */
export const questions = ['rating-core', 'codec', 'polling', 'spool', 'ingest', 'ingest-latency', 'soak', 'neighbours'] as const
