import '@mantine/core/styles.css'
import '@mantine/spotlight/styles.css'
import './app/fonts.css'
import './app/endeks.css'
import './app/table.css'
import './app/pages.css'
import { MantineProvider } from '@mantine/core'
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { RouterProvider } from 'react-router'
import { asFailure } from './api/problem.js'
import { router } from './app/routes.js'
import { SessionGate } from './app/session.js'
import { setSessionEnded } from './app/session-ended.js'
import { theme, variables } from './app/theme.js'
import { LanguageProvider } from './i18n/language.js'

const mostRetries = 2

const client = new QueryClient({
  queryCache: new QueryCache({
    onError: (error, query) => {
      if (asFailure(error).status === 401 && query.queryKey[0] !== 'session') setSessionEnded(true)
    }
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < mostRetries && asFailure(error).retryable,
      retryDelay: (count) => 500 * 2 ** count
    },
    mutations: { retry: false }
  }
})

const root = document.getElementById('root')
if (root === null) throw new Error('the page has no #root')
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <LanguageProvider>
          <SessionGate>
            <RouterProvider router={router} />
          </SessionGate>
        </LanguageProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>
)
