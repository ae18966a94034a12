import { type ComponentType, lazy } from 'react'
import { createBrowserRouter, Navigate } from 'react-router'
import { Shell } from './shell.js'

/** A page is fetched when it is opened first. */
function page<Name extends string>(load: () => Promise<Readonly<Record<Name, ComponentType>>>, name: Name) {
  const Lazy = lazy(async (): Promise<{ default: ComponentType }> => ({ default: (await load())[name] }))
  return <Lazy />
}

export const router = createBrowserRouter([
  {
    path: '/',
    element: <Shell />,
    children: [
      { index: true, element: page(() => import('../pages/overview/overview-page.js'), 'OverviewPage') },
      { path: 'participants', element: page(() => import('../pages/participants/participants-page.js'), 'ParticipantsPage') },
      { path: 'participants/:registryNo', element: page(() => import('../pages/participant/summary-tab.js'), 'SummaryTab') },
      {
        path: 'participants/:registryNo/subscriptions',
        element: page(() => import('../pages/participant/subscriptions-tab.js'), 'SubscriptionsTab')
      },
      { path: 'participants/:registryNo/invoices', element: page(() => import('../pages/participant/invoices-tab.js'), 'InvoicesTab') },
      {
        path: 'participants/:registryNo/collections',
        element: page(() => import('../pages/participant/collections-tab.js'), 'CollectionsTab')
      },
      { path: 'readings', element: <Navigate to="/readings/meters" replace /> },
      { path: 'readings/meters', element: page(() => import('../pages/meters/meters-page.js'), 'MetersPage') },
      { path: 'readings/gateways', element: page(() => import('../pages/gateways/gateways-page.js'), 'GatewaysPage') },
      { path: 'readings/gateways/:id', element: page(() => import('../pages/gateway/gateway-page.js'), 'GatewayPage') },
      { path: 'meters/:id', element: page(() => import('../pages/meter/meter-page.js'), 'MeterPage') },
      { path: 'billing', element: <Navigate to="/billing/runs" replace /> },
      { path: 'billing/runs', element: page(() => import('../pages/runs/runs-page.js'), 'RunsPage') },
      { path: 'billing/runs/:id', element: page(() => import('../pages/run/run-page.js'), 'RunPage') },
      { path: 'billing/invoices', element: page(() => import('../pages/invoices/invoices-page.js'), 'InvoicesPage') },
      { path: 'billing/tariffs', element: page(() => import('../pages/tariffs/tariffs-page.js'), 'TariffsPage') },
      { path: 'billing/tariffs/:code', element: page(() => import('../pages/tariff/tariff-page.js'), 'TariffPage') },
      { path: 'invoices/:label', element: page(() => import('../pages/invoice/invoice-page.js'), 'InvoicePage') },
      { path: 'collections', element: page(() => import('../pages/collections/collections-page.js'), 'CollectionsPage') },
      { path: 'desk', element: page(() => import('../pages/desk/desk-page.js'), 'DeskPage') },
      { path: '*', element: page(() => import('../pages/not-found/not-found-page.js'), 'NotFoundPage') }
    ]
  }
])
