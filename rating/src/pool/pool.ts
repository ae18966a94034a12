import { Piscina } from 'piscina'

export interface WorkerData {
  readonly databaseUrl: string
  readonly role: string
  /** the named point at which a worker kills its process, for tests that prove what survives */
  readonly killAt: string | undefined
}

export interface RatingPool {
  /** Lets every worker claim shards of the run until none is left. */
  calculate(runId: bigint): Promise<void>
  close(): Promise<void>
}

/** Rating workers: threads with a database connection each. They share nothing but the shards they claim. */
export function createRatingPool(workers: number, data: WorkerData): RatingPool {
  const piscina = new Piscina({
    filename: new URL('./worker.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: workers,
    idleTimeout: 5_000,
    workerData: data
  })
  return {
    calculate: async (runId) => {
      await Promise.all(Array.from({ length: workers }, async () => await piscina.run(runId.toString())))
    },
    close: async () => await piscina.close()
  }
}
