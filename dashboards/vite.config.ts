import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

/**
 * Letters of one Turkish word live in two files: "ğ ş İ ₺" in latin-ext, the rest in latin. Both are preloaded, or the word
 * is drawn in two fonts until the second arrives.
 */
function preloadFonts(): Plugin {
  return {
    name: 'endeks-preload-fonts',
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        return Object.keys(context.bundle ?? {})
          .filter((file) => /ibm-plex-sans-latin(-ext)?-(400|500|600)-normal.*\.woff2$/.test(file))
          .map((file) => ({
            tag: 'link',
            attrs: { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: '', href: `/${file}` },
            injectTo: 'head' as const
          }))
      }
    }
  }
}

export default defineConfig({
  root: 'staff',
  plugins: [react(), preloadFonts()],
  // another react may be hoisted beside ours: one page, one react
  resolve: { dedupe: ['react', 'react-dom', '@mantine/core', '@mantine/hooks'] },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    // the chart library is one lazy chunk of that size by intention
    chunkSizeWarningLimit: 700
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } }
})
